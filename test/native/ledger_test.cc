#include "plan/ledger.h"
#include "native/fixtures.h"
#include "native/testing.h"

namespace fovea::test {

std::vector<Test> ledgerTests() {
  return {
      {"ledger: counts and remembers the peak",
       [] {
         Ledger ledger("cpu", 1000);
         ledger.reserve(600, "a");
         ledger.reserve(400, "b");
         ledger.release(600, "a");
         check(ledger.bytes() == 400);
         check(ledger.peakBytes() == 1000);
       }},
      {"ledger: refuses what exceeds the device, and says who holds what",
       [] {
         Ledger ledger("cpu", 8 << 20);
         ledger.reserve(3 << 20, "weights");
         ledger.reserve(3 << 20, "weights");
         ledger.reserve(1 << 20, "arena");
         const Error error = errorOf([&] { ledger.reserve(2 << 20, "batch"); });
         check(error.code() == "ERR_OUT_OF_MEMORY");
         check(contains(error.what(), "batch needs 2.0 MiB"), error.what());
         check(contains(error.what(), "only 1.0 MiB are free"), error.what());
         check(contains(error.what(), "weights x2 (6.0 MiB), arena (1.0 MiB)"), error.what());
       }},
      {"ledger: sizes near the end of the address space do not wrap around",
       [] {
         Ledger ledger("cpu", 1000);
         ledger.reserve(500, "a");
         check(errorOf([&] { ledger.reserve(SIZE_MAX - 100, "b"); }).code() == "ERR_OUT_OF_MEMORY");
       }},
      {"ledger: asks what is left before large allocations",
       [] {
         Ledger ledger("cpu", size_t{8} << 30, [] { return size_t{1} << 30; });
         ledger.reserve(1 << 20, "small");
         ledger.reserve(512 << 20, "fits");
         const Error error = errorOf([&] { ledger.reserve(1000 << 20, "batch"); });
         check(contains(error.what(), "the system has 1024.0 MiB left"), error.what());
       }},
      {"ledger: a limit counts instead of the device, 0 takes it back",
       [] {
         Ledger ledger("cpu", 1000);
         ledger.setLimit(100);
         errorOf([&] { ledger.reserve(200, "a"); });
         ledger.setLimit(0);
         ledger.reserve(200, "a");
         ledger.setLimit(100);  // less than is in use: nothing more fits
         errorOf([&] { ledger.reserve(1, "b"); });
       }},
  };
}

}  // namespace fovea::test
