#include "plan/bindings.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace fovea {
namespace {

/** Two places are a variable that is written to the other one of two buffers: recordings of both are kept. */
constexpr size_t kPlaces = 2;
/** Larger ones are not copied: their plans are recorded for each of their addresses, or not at all. */
constexpr size_t kMostBytes = size_t{256} << 20;

}  // namespace

Bindings::Bindings(Device& device, std::vector<ExternalUse> uses) : device_(device) {
  for (ExternalUse& use : uses) externals_.push_back({use, {}, nullptr});
}

std::vector<void*> Bindings::bind(const std::vector<void*>& addresses) {
  std::vector<void*> bound = addresses;
  for (size_t i = 0; i < addresses.size(); ++i) {
    External& e = externals_[i];
    if (!e.own && std::find(e.seen.begin(), e.seen.end(), addresses[i]) == e.seen.end()) {
      if (e.seen.size() < kPlaces) {
        e.seen.push_back(addresses[i]);
      } else if (e.use.bytes <= kMostBytes) {
        auto own = std::make_unique<Allocation>(device_.backend(), device_.ledger(), "recorded plans");
        try {
          own->allocate(std::max<size_t>(e.use.bytes, 1));
          e.own = std::move(own);
        } catch (const Error& error) {
          if (error.code() != "ERR_OUT_OF_MEMORY") throw;  // Without memory it runs where it is.
        }
      }
    }
    if (e.own) bound[i] = e.own->data();
  }
  return bound;
}

void Bindings::copyIn(const std::vector<void*>& addresses, const std::vector<void*>& bound) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    const ExternalUse& use = externals_[i].use;
    if (bound[i] == addresses[i] || !use.read || use.bytes == 0) continue;
    device_.backend().copyWithin(bound[i], addresses[i], use.bytes);
  }
}

void Bindings::copyOut(const std::vector<void*>& addresses, const std::vector<void*>& bound) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    const ExternalUse& use = externals_[i].use;
    if (bound[i] == addresses[i] || !use.written || use.bytes == 0) continue;
    device_.backend().copyWithin(addresses[i], bound[i], use.bytes);
  }
}

}  // namespace fovea
