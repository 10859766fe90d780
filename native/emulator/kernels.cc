#include "emulator/kernels.h"

#include <cxxabi.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <typeinfo>

#include "cuda/kernels/all.h"
#include "cuda/kernels/block.h"

namespace fovea::emulator {
namespace {

std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : "";
}

template <class Kernel>
void add(std::map<std::string, HostKernel>& table) {
  table[demangle(typeid(Kernel).name())] = {
      sizeof(typename Kernel::Args),
      [](unsigned blocks, unsigned threads, size_t sharedBytes, const void* args, cuda::FaultWord* halt) {
        cuda::hostLaunch<Kernel>(blocks, threads, sharedBytes, *static_cast<const typename Kernel::Args*>(args), halt);
      }};
}

std::map<std::string, HostKernel> makeTable() {
  using namespace fovea::cuda;  // NOLINT: the lists name kernels as their headers do
  std::map<std::string, HostKernel> table;
#define FOVEA_ADD(...) add<__VA_ARGS__>(table);
  FOVEA_CUDA_KERNELS(FOVEA_ADD)
#undef FOVEA_ADD
  return table;
}

}  // namespace

const HostKernel* findHostKernel(const std::string& functor) {
  static const std::map<std::string, HostKernel> table = makeTable();
  const auto found = table.find(functor);
  return found == table.end() ? nullptr : &found->second;
}

std::string functorOf(const std::string& mangled) {
  // "void fovea::cuda::entry<K>(K::Args)"
  const std::string text = demangle(mangled.c_str());
  const std::string before = "void fovea::cuda::entry<";
  if (text.rfind(before, 0) != 0) return "";
  const size_t end = text.find(">(");
  if (end == std::string::npos) return "";
  std::string functor = text.substr(before.size(), end - before.size());
  while (!functor.empty() && functor.back() == ' ') functor.pop_back();  // "Scale<float> >("
  return functor;
}

}  // namespace fovea::emulator
