#include "emulator/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "emulator/config.h"

namespace fovea::emulator {
namespace {

constexpr size_t kRange = size_t{1} << 38;  // addresses, not memory
constexpr size_t kPage = 4096;
// What is opened and closed, and huge pages where the system has them: a change of protection visits every page.
constexpr size_t kPiece = size_t{2} << 20;
constexpr size_t kRedZone = 512;  // keeps the alignment that cudaMalloc promises
constexpr unsigned char kRed = 0xA5, kPoison = 0xFF;

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

[[noreturn]] void die(const char* what, const void* pointer) {
  std::fprintf(stderr, "emulator: %s at %p\n", what, pointer);
  std::abort();
}

}  // namespace

struct Memory::State {
  struct Block {
    int device;
    size_t bytes, span;
  };
  char* base;
  std::map<char*, Block> live;        // by the address handed out
  std::multimap<size_t, char*> idle;  // spans that were freed, by size
  std::map<char*, size_t> pinned;
  std::map<int, size_t> used;
  size_t top = 0;
  size_t reached = 0;  // whole pieces: no address past them was handed out
  int open = 0;        // depth of DeviceWork
  int key = -1;        // the range's protection key, in strict mode and where the processor has them

  void protect(bool closed) const {
    if (key >= 0) {
      if (pkey_set(key, closed ? PKEY_DISABLE_ACCESS : 0) != 0) die("pkey_set failed", base);
    } else if (reached > 0 && mprotect(base, reached, closed ? PROT_NONE : PROT_READ | PROT_WRITE) != 0) {
      die("mprotect failed", base);
    }
  }

  /** Makes the addresses below `end` usable, in a DeviceWork scope. False when the system has no more memory. */
  bool reach(size_t end) {
    if (end <= reached) return true;
    const size_t next = roundUp(end, kPiece);
    if (next > kRange || mprotect(base + reached, next - reached, PROT_READ | PROT_WRITE) != 0) return false;
    reached = next;
    return true;
  }
};

Memory& Memory::instance() {
  static auto* const memory = new Memory;  // outlives every user
  return *memory;
}

Memory::Memory() : state_(new State) {
  void* range = mmap(nullptr, kRange + kPiece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) die("cannot reserve device addresses", nullptr);
  range = reinterpret_cast<void*>(roundUp(reinterpret_cast<uintptr_t>(range), kPiece));
  state_->base = static_cast<char*>(range);
  madvise(range, kRange, MADV_HUGEPAGE);  // without them it is only slower
  if (!config().strict) return;
  state_->key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
  if (state_->key >= 0 && pkey_mprotect(range, kRange, PROT_NONE, state_->key) != 0) {
    pkey_free(state_->key);
    state_->key = -1;
  }
}

void* Memory::allocate(int device, size_t bytes) {
  if (bytes == 0) return nullptr;
  const size_t limit = config().memory;
  if (bytes > limit || state_->used[device] > limit - bytes) return nullptr;
  const size_t span = roundUp(bytes + 2 * kRedZone, kPage);
  const DeviceWork open;
  char* start;
  if (const auto idle = state_->idle.find(span); idle != state_->idle.end()) {
    start = idle->second;
    state_->idle.erase(idle);
  } else {
    if (span > kRange || !state_->reach(state_->top + span)) return nullptr;
    start = state_->base + state_->top;
    state_->top += span;
  }
  char* pointer = start + kRedZone;
  std::memset(start, kRed, kRedZone);
  std::memset(pointer, kPoison, bytes);
  std::memset(pointer + bytes, kRed, span - kRedZone - bytes);
  state_->live[pointer] = {device, bytes, span};
  state_->used[device] += bytes;
  return pointer;
}

bool Memory::free(void* pointer) {
  const auto found = state_->live.find(static_cast<char*>(pointer));
  if (found == state_->live.end()) return false;
  const State::Block block = found->second;
  char* const data = found->first;
  char* const start = data - kRedZone;
  {
    const DeviceWork open;
    const auto red = [](unsigned char c) { return c == kRed; };
    const auto* first = reinterpret_cast<unsigned char*>(start);
    const auto* after = reinterpret_cast<unsigned char*>(data + block.bytes);
    if (!std::all_of(first, first + kRedZone, red)) die("written before the start of the device block", pointer);
    if (!std::all_of(after, first + block.span, red)) die("written past the end of the device block", pointer);
    std::memset(start, kPoison, block.span);
  }
  state_->used[block.device] -= block.bytes;
  state_->live.erase(found);
  state_->idle.emplace(block.span, start);
  return true;
}

size_t Memory::used(int device) const {
  const auto found = state_->used.find(device);
  return found == state_->used.end() ? 0 : found->second;
}

void* Memory::allocatePinned(size_t bytes) {
  void* pointer = nullptr;
  if (posix_memalign(&pointer, kPage, std::max<size_t>(bytes, 1)) != 0) return nullptr;
  std::memset(pointer, kPoison, bytes);
  state_->pinned[static_cast<char*>(pointer)] = bytes;
  return pointer;
}

bool Memory::freePinned(void* pointer) {
  const auto found = state_->pinned.find(static_cast<char*>(pointer));
  if (found == state_->pinned.end()) return false;
  state_->pinned.erase(found);
  std::free(pointer);
  return true;
}

Memory::Where Memory::find(const void* pointer) const {
  const auto* p = static_cast<const char*>(pointer);
  const auto within = [&](const auto& blocks, auto size) -> std::pair<size_t, const char*> {
    auto block = blocks.upper_bound(const_cast<char*>(p));
    if (block == blocks.begin()) return {0, nullptr};
    --block;
    const size_t offset = static_cast<size_t>(p - block->first), bytes = size(block->second);
    return offset < bytes ? std::pair{bytes - offset, static_cast<const char*>(block->first)}
                          : std::pair{size_t{0}, static_cast<const char*>(nullptr)};
  };
  if (p >= state_->base && p < state_->base + kRange) {
    const auto [left, start] = within(state_->live, [](const State::Block& b) { return b.bytes; });
    return {Place::kDevice, start ? state_->live.at(const_cast<char*>(start)).device : -1, left};
  }
  const auto [left, start] = within(state_->pinned, [](size_t bytes) { return bytes; });
  return {start ? Place::kPinned : Place::kPageable, -1, left};
}

std::string Memory::describeLive() const {
  std::string text;
  for (const auto& [pointer, block] : state_->live) {
    text +=
        "device block of " + std::to_string(block.bytes) + " bytes on device " + std::to_string(block.device) + "\n";
  }
  for (const auto& [pointer, bytes] : state_->pinned) text += "pinned block of " + std::to_string(bytes) + " bytes\n";
  return text;
}

Memory::DeviceWork::DeviceWork() {
  State& state = *instance().state_;
  if (state.open++ == 0 && config().strict) state.protect(false);
}

Memory::DeviceWork::~DeviceWork() {
  State& state = *instance().state_;
  if (--state.open == 0 && config().strict) state.protect(true);
}

}  // namespace fovea::emulator
