#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cuda/graph/plan_cache.h"
#include "native/fixtures.h"
#include "native/testing.h"
#include "plan/cuda_libraries.h"
#include "plan/recordings.h"

/** @file Finding NVIDIA's libraries, remembering plans, and recording runs: what needs no CUDA. */
namespace fovea::test {
namespace {

namespace fs = std::filesystem;

/** A folder that is gone after the test. */
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "fovea-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string make(const std::string& sub) const {
    fs::create_directories(path_ / sub);
    return path_ / sub;
  }
  std::string path() const { return path_; }

 private:
  fs::path path_;
};

size_t indexOf(const std::vector<std::string>& list, const std::string& what) {
  const auto found = std::find(list.begin(), list.end(), what);
  check(found != list.end(), what + " is not in the list");
  return static_cast<size_t>(found - list.begin());
}

/** A recording that counts, up to so many. */
struct Tape final : Recording {
  explicit Tape(int& replays, int most = 1000) : replays(replays), most(most) {}
  bool replay() override { return ++replays <= most; }
  int& replays;
  int most;
};

}  // namespace

std::vector<Test> cudaLoadingTests() {
  return {
      {"cuda libraries: folders in their order, and only those that exist",
       [] {
         const Folder folder;
         CudaRoots roots;
         roots.local = folder.path() + "/local";
         roots.foveaCudaPath = folder.make("chosen") + ":" + folder.path() + "/absent";
         const std::string home = folder.make("own/lib64"), old = folder.make("local/cuda-13.0/lib64"),
                           newer = folder.make("local/cuda-13.1/lib64"), other = folder.make("local/cuda-12.4/lib64");
         const std::string wheel = folder.make("package/.cuda/nvidia/cudnn/lib"),
                           venv = folder.make("venv/lib/python3.11/site-packages/nvidia/cu13/lib");
         roots.cudaHome = folder.path() + "/own";
         roots.package = folder.path() + "/package";
         roots.virtualEnv = folder.path() + "/venv";
         const std::vector<std::string> list = cudaFolders(roots, 13);
         check(list.front() == folder.path() + "/chosen");
         check(list[1].empty(), "the loader's own folders come second");
         check(indexOf(list, home) < indexOf(list, newer));
         check(indexOf(list, newer) < indexOf(list, old));
         check(indexOf(list, old) < indexOf(list, wheel));
         check(indexOf(list, wheel) < indexOf(list, venv));
         check(std::find(list.begin(), list.end(), other) == list.end(), "another version's folder is in the list");
         check(std::find(list.begin(), list.end(), folder.path() + "/absent") == list.end());
       }},
      {"cuda libraries: what is not found is said with the folders, what does not load with the loader's words",
       [] {
         const Folder folder;
         const std::string empty = folder.make("empty"), broken = folder.make("broken");
         std::string why = preload("libfoveatest.so.7", {"", empty});
         check(contains(why, "libfoveatest.so.7 was not found (looked in the loader's own folders, " + empty + ")"),
               why);
         std::ofstream(broken + "/libfoveatest.so.7") << "no library";
         why = preload("libfoveatest.so.7", {"", empty, broken});
         check(contains(why, "libfoveatest.so.7 does not load: " + broken), why);
         check(preload("libc.so.6", {empty, ""}).empty());
       }},
      {"cudnn plans: remembered across processes; damaged lines are passed over",
       [] {
         const Folder folder;
         {
           cuda::graph::PlanCache cache(folder.path(), "a device");
           check(cache.find("k") == nullptr);
           cache.remember("k", "first");
           cache.remember("k", "second");
           cache.remember("other", "x");
           cache.remember("lines", "not\none");
         }
         const fs::path file = fs::directory_iterator(folder.path())->path();
         {
           cuda::graph::PlanCache cache(folder.path(), "a device");
           check(cache.find("k") != nullptr && *cache.find("k") == "second");
           check(cache.find("lines") == nullptr);
           check(cuda::graph::PlanCache(folder.path(), "another device").find("k") == nullptr);
         }
         std::ifstream in(file);
         std::string text((std::istreambuf_iterator<char>(in)), {});
         text[text.rfind('x')] = 'y';
         std::ofstream(file) << text << "cut short\t0123";
         cuda::graph::PlanCache cache(folder.path(), "a device");
         check(cache.find("other") == nullptr, "a damaged plan was taken");
         check(cache.find("k") != nullptr);
         cuda::graph::PlanCache nowhere(folder.path() + "/absent", "a device");
         nowhere.remember("k", "p");
         check(*nowhere.find("k") == "p");
       }},
      {"recordings: an address seen twice is recorded, what cannot be recorded runs as before",
       [] {
         bool works = true;
         int recorded = 0, replays = 0;
         Recordings recordings([&](const std::function<void()>& launch) -> std::unique_ptr<Recording> {
           ++recorded;
           launch();
           if (!works) return nullptr;
           return std::make_unique<Tape>(replays);
         });
         int launched = 0;
         const auto run = [&](uint64_t address) {
           recordings.run({address}, [&](bool recording) { launched += !recording; });
         };
         run(1);
         check(launched == 1 && recorded == 0);
         run(1);
         run(1);
         check(launched == 1 && recorded == 1 && replays == 2);
         run(2);
         check(launched == 2 && recorded == 1);
         for (uint64_t other = 10; other < 20; ++other) run(other);  // 1 and 2 are forgotten
         run(1);
         check(launched == 13 && recorded == 1);
         works = false;
         run(1);
         check(launched == 14 && recorded == 2);
         run(1);
         run(1);
         check(launched == 16 && recorded == 3, "it goes on trying");
       }},
      {"recordings: one that cannot be enqueued is forgotten, and its launches are made",
       [] {
         int replays = 0, launched = 0;
         Recordings recordings([&](const std::function<void()>& launch) {
           launch();
           return std::make_unique<Tape>(replays, 2);
         });
         const auto run = [&] { recordings.run({1}, [&](bool recording) { launched += !recording; }); };
         for (int i = 0; i < 3; ++i) run();
         check(launched == 1 && replays == 2);
         run();
         check(launched == 2 && replays == 3);
         run();
         check(launched == 3 && replays == 3, "as if for the first time");
       }},
  };
}

}  // namespace fovea::test
