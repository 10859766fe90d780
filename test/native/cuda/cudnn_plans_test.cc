#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/conv_geometry.h"
#include "cuda/graph/conv_graph.h"
#include "cuda/graph/plan.h"

/**
 * @file
 * Has the real cuDNN finalize a plan for every convolution of a list, in all directions, without a device: for a device
 * that is described. Nothing is executed.
 *
 *     cudnn_plans_test <list> <first> <step> <types> <sms> <deterministic>
 *
 * takes the lines first, first + step, ... of the list (numbers as test/cuda/convolutions.ts writes them), types such
 * as "float32,bfloat16,float16,tf32", compute capabilities such as "75,90" and "0,1". Prints what failed, and for each
 * type
 * "<type> <passed> <failed> <padded> <widened>": plans found, not found, found only for an input padded beforehand, and
 * only in float32, as the backend does.
 */
namespace fovea::cuda::graph {
namespace {

struct Device {
  const char* name;
  int multiprocessors, registersPerBlock;
  int sharedOptin, threadsPerMultiprocessor, blocksPerMultiprocessor;
  long long memory, l2;
};

/** What cuDNN asks of a device. Figures of vendors' data sheets. */
std::string description(int sm) {
  static const std::map<int, Device> devices = {
      {75, {"Tesla T4", 40, 65536, 65536, 1024, 16, 15'843'721'216LL, 4'194'304}},
      {80, {"NVIDIA A100-SXM4-40GB", 108, 65536, 166'912, 2048, 32, 42'505'273'344LL, 41'943'040}},
      {86, {"NVIDIA GeForce RTX 3060", 28, 65536, 101'376, 1536, 16, 12'622'168'064LL, 2'359'296}},
      {89, {"NVIDIA GeForce RTX 4090", 128, 65536, 101'376, 1536, 24, 25'386'352'640LL, 75'497'472}},
      {90, {"NVIDIA H100 80GB HBM3", 132, 65536, 232'448, 2048, 32, 85'017'493'504LL, 52'428'800}},
      {100, {"NVIDIA B200", 148, 65536, 232'448, 2048, 32, 191'503'138'816LL, 132'644'864}},
      {120, {"NVIDIA GeForce RTX 5090", 170, 65536, 101'376, 1536, 24, 33'661'386'752LL, 100'663'296}},
  };
  const auto found = devices.find(sm);
  if (found == devices.end()) throw Error("ERR_ARGUMENT", "no device of compute capability " + std::to_string(sm));
  const Device& d = found->second;
  std::ostringstream json;
  json << R"({"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":)"
       << d.registersPerBlock << R"(,"multiProcessorCount":)" << d.multiprocessors
       << R"(,"smCountOrigin":0,"warpSize":32)"
       << R"(,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":)" << d.sharedOptin
       << R"(,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":)"
       << d.blocksPerMultiprocessor << R"(,"maxThreadsPerBlock":1024,"maxThreadsPerSM":)" << d.threadsPerMultiprocessor
       << R"(,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,"totalGlobalMem":)" << d.memory
       << R"(,"smClockRateKHz":1700000,"memClockRateKHz":1600000,"l2CacheSize":)" << d.l2
       << R"(,"cudaDeviceId":0,"deviceVer":)" << sm * 10 << R"(,"driverVer":13000,"deviceName":")" << d.name << "\"}";
  return json.str();
}

/** A line of the list; `residual` stands for the two forward problems with one. */
ConvGeometry parse(const std::string& line) {
  std::istringstream in(line);
  ConvGeometry g;
  int residual = 0;
  int64_t* const fields[] = {&g.n,  &g.h,  &g.w,  &g.c,  &g.oh,  &g.ow,     &g.o,    &g.kh,    &g.kw,
                             &g.sh, &g.sw, &g.dh, &g.dw, &g.top, &g.bottom, &g.left, &g.right, &g.groups};
  for (int64_t* field : fields) {
    if (!(in >> *field)) throw Error("ERR_DATA", "expected 19 numbers, received '" + line + "'");
  }
  if (!(in >> residual)) throw Error("ERR_DATA", "expected 19 numbers, received '" + line + "'");
  g.residual = residual != 0;
  return g;
}

struct Type {
  std::string name;
  DType type;
  bool tf32;
};

Type typeOf(const std::string& name) {
  if (name == "float32") return {name, DType::kFloat32, false};
  if (name == "tf32") return {name, DType::kFloat32, true};
  if (name == "bfloat16") return {name, DType::kBfloat16, false};
  if (name == "float16") return {name, DType::kFloat16, false};
  throw Error("ERR_ARGUMENT", "no type " + name);
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

struct Count {
  int passed = 0, failed = 0, padded = 0, widened = 0;
};

/** Whether the plan's text, as it is remembered, makes the same plan again, and a damaged one none. */
bool survivesText(const ExecutionPlan& plan, const Target& target) {
  std::string text = plan.json();
  const auto again = planFromJson(text, target);
  if (!again || again->workspaceBytes() != plan.workspaceBytes()) return false;
  text[text.size() / 3] = '#';
  return !planFromJson(text, target) && !planFromJson(text.substr(0, text.size() / 2), target);
}

bool hasPlan(const ConvProblem& problem, const Target& target, const PlanPolicy& policy, std::string& why) {
  try {
    const ConvGraph graph(problem, nullptr);
    const PlanList list = findPlans(graph, problem.geometry.type, target, policy, 1);
    why = list.summary();
    if (list.plans.empty()) return false;
    static int found = 0;
    constexpr int kSome = 50;  // Not all: it takes longer than finding it.
    if (++found % kSome != 0 || survivesText(list.plans[0], target)) return true;
    why = "the plan's text does not make it again";
    return false;
  } catch (const Error& error) {
    why = error.what();
    return false;
  }
}

int run(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: cudnn_plans_test <list> <first> <step> <types> <sms> <deterministic>\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  std::vector<ConvGeometry> geometries;
  const int first = std::atoi(argv[2]), step = std::max(std::atoi(argv[3]), 1);
  int at = 0;
  for (std::string line; std::getline(file, line); ++at) {
    if (!line.empty() && at % step == first) geometries.push_back(parse(line));
  }
  if (geometries.empty()) throw Error("ERR_DATA", std::string(argv[1]) + ": no convolutions");

  std::map<std::string, Count> counts;
  for (const std::string& sm : split(argv[5])) {
    const Descriptor device = describedDevice(description(std::atoi(sm.c_str())));
    const Target target{nullptr, &device};
    for (const std::string& typeName : split(argv[4])) {
      const Type type = typeOf(typeName);
      Count& count = counts[typeName];
      for (const std::string& deterministic : split(argv[6])) {
        PlanPolicy policy;
        policy.deterministic = deterministic == "1";
        policy.tf32 = type.tf32;
        for (ConvGeometry g : geometries) {
          g.type = g.kernelType = g.biasType = type.type;
          // Forward alone, with a bias, with bias and ReLU; then backward. A residual comes with a bias.
          for (int variant = g.residual ? 1 : 0; variant < (g.residual ? 3 : 5); ++variant) {
            g.kind = variant < 3    ? ConvKind::kForward
                     : variant == 3 ? ConvKind::kBackwardInput
                                    : ConvKind::kBackwardKernel;
            ConvProblem problem;
            problem.geometry = g;
            problem.bias = variant == 1 || variant == 2;
            problem.relu = variant == 2;
            problem.residual = g.residual;
            std::string why, ignored;
            if (hasPlan(problem, target, policy, why)) {
              ++count.passed;
              continue;
            }
            // What the backend does then.
            if (g.padded() && hasPlan(problem.withoutPadding(), target, policy, ignored)) {
              ++count.passed;
              ++count.padded;
              continue;
            }
            ConvProblem wide = problem;
            wide.geometry.type = wide.geometry.kernelType = wide.geometry.biasType = DType::kFloat32;
            if (type.type != DType::kFloat32 && hasPlan(wide, target, policy, ignored)) {
              ++count.passed;
              ++count.widened;
              continue;
            }
            ++count.failed;
            std::cout << "failed on sm_" << sm << (policy.deterministic ? ", deterministic: " : ": ")
                      << problem.describe() << ": " << why << "\n";
          }
        }
      }
    }
  }
  int failed = 0;
  for (const auto& [name, count] : counts) {
    std::cout << "count " << name << " " << count.passed << " " << count.failed << " " << count.padded << " "
              << count.widened << "\n";
    failed += count.failed;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fovea::cuda::graph

int main(int argc, char** argv) {
  try {
    return fovea::cuda::graph::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "cudnn_plans_test: " << error.what() << "\n";
    return 2;
  }
}
