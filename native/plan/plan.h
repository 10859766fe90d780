#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/bindings.h"
#include "plan/device.h"
#include "plan/plan_desc.h"
#include "plan/recordings.h"
#include "plan/validate.h"

namespace fovea {

/** Time and traffic of one step of a profiled run. */
struct StepProfile {
  std::string kernel, implementation, op, layer;
  double milliseconds = 0;
  double bytes = 0;
};

/**
 * A validated description with its kernels prepared. Made and run on the engine thread; the questions are
 * answered on any.
 */
class Plan {
 public:
  /** Prepares every kernel and grows the arena. Throws fovea::Error that names op and layer. */
  Plan(Device& device, PlanDesc description, const std::vector<Preparation>& preparations);

  Device& device() const { return device_; }
  /** The buffers a run expects. */
  const std::vector<ExternalDesc>& externals() const { return description_.externals; }
  /** Whether some step writes that external. */
  bool writes(size_t external) const { return writes_[external]; }
  /** Scratch memory that its kernels share. */
  size_t workspaceBytes() const { return workspaceBytes_; }

  /** A buffer of one run: where it is, and the version of its contents. */
  struct External {
    void* data;
    uint64_t version;
  };

  /** Runs every step. Throws fovea::Error that names op and layer. */
  void run(const std::vector<External>& externals, const StopSignal& stop);
  /** As `run`, with a clock around every step. */
  std::vector<StepProfile> profile(const std::vector<External>& externals, const StopSignal& stop);

 private:
  /** Where an operand is: in an external, or at an offset in the arena (external -1). */
  struct Operand {
    int64_t external;
    int64_t offset;
  };
  struct Step {
    KernelPtr kernel;
    size_t firstInput, firstOutput;  ///< In inputs_ and outputs_.
  };

  void prepare(const Preparation& preparation, const StepDesc& desc);
  Operand operandOf(int64_t slot) const;
  void execute(const std::vector<External>& externals, const StopSignal& stop, std::vector<StepProfile>* profiles);
  void launch(const Step& step, const Pointers& pointers, StepProfile* profile);
  StepProfile profileOf(size_t step) const;
  std::vector<ExternalUse> externalUses() const;
  Recordings::Key recordingKey(const void* workspace) const;
  /** Waits for what was launched; errors that show only then are named too. */
  void synchronize();
  /** After a failure: no work that was launched may still use the buffers. */
  void settle() noexcept;
  /** `error`, with the ops of this plan where it names none: devices fail long after the launch that was wrong. */
  Error withRun(const Error& error) const;

  Device& device_;
  Device::PlanCount count_;
  PlanDesc description_;
  std::vector<bool> writes_;
  std::vector<Step> steps_;
  Recordings recordings_;             ///< Of these steps.
  std::optional<Bindings> bindings_;  ///< Where the device records.
  std::vector<Operand> inputs_, outputs_;
  std::vector<const void*> inputPointers_;
  std::vector<void*> outputPointers_;
  std::vector<uint64_t> versions_;  ///< Of the inputs.
  size_t workspaceBytes_ = 0;
  const int threads_;
};

}  // namespace fovea
