#pragma once

#include <string>
#include <vector>

#include "core/check_operands.h"

/**
 * @file
 * The groups of `elementwiseGroup`. Inputs: the shared ones, then those of each group; outputs: those of each group.
 * Every group is a call of `elementwise` with the shared inputs before its own.
 */
namespace fovea {

/** Which operands are whose. */
struct GroupLayout {
  size_t groups, shared;
  size_t inputs, outputs;  ///< Of one group alone.

  /** Where input k of a group's call is among all inputs. */
  size_t input(size_t group, size_t k) const { return k < shared ? k : shared + group * inputs + (k - shared); }
  /** Where output j of a group's call is among all outputs. */
  size_t output(size_t group, size_t j) const { return group * outputs + j; }
  /** Whether input i is one of the group's own that output j belongs to. */
  bool together(size_t i, size_t j) const { return i >= shared && (i - shared) / inputs == j / outputs; }
};

/**
 * @param inputs, outputs how many there are of all groups
 * @param perGroup outputs of one group: results of the program
 * @param explain is called with what was expected where they cannot be divided into groups; it must throw
 */
template <class Explain>
GroupLayout groupLayout(size_t inputs, size_t outputs, size_t perGroup, size_t shared, const Explain& explain) {
  if (perGroup == 0 || outputs == 0 || outputs % perGroup != 0) {
    explain("results",
            "a register for each output of a group, of which there are " + std::to_string(outputs) + " in all");
  }
  const size_t groups = outputs / perGroup;
  if (shared > inputs || (inputs - shared) % groups != 0) {
    explain("shared", "a number of the " + std::to_string(inputs) + " inputs that leaves as many to each of " +
                          std::to_string(groups) + " groups");
  }
  return {groups, shared, (inputs - shared) / groups, perGroup};
}

/** The groups' calls of `elementwise`; operands have the same types in all of them. */
inline std::vector<ElementwiseDesc> checkedGroups(const Check& check, const ElementwiseGroupDesc& d,
                                                  GroupLayout* layout) {
  *layout = groupLayout(d.inputs.size(), d.outputs.size(), d.results.size(), static_cast<size_t>(d.shared),
                        [&](const char* what, const std::string& expected) {
                          check.fail(std::string(what) + " to be " + expected, "another number");
                        });
  std::vector<ElementwiseDesc> calls(layout->groups);
  for (size_t g = 0; g < layout->groups; ++g) {
    static_cast<ElementwiseProgram&>(calls[g]) = d;
    for (size_t k = 0; k < layout->shared + layout->inputs; ++k)
      calls[g].inputs.push_back(d.inputs[layout->input(g, k)]);
    for (size_t j = 0; j < layout->outputs; ++j) calls[g].outputs.push_back(d.outputs[layout->output(g, j)]);
    const auto sameTypes = [&](const std::vector<TensorDesc>& first, const std::vector<TensorDesc>& own) {
      for (size_t i = 0; i < first.size(); ++i) {
        check.that(own[i].dtype == first[i].dtype,
                   std::string("the ") + nameOf(first[i].dtype) + " of the first group in all groups",
                   describe(own[i]));
      }
    };
    sameTypes(calls[0].inputs, calls[g].inputs);
    sameTypes(calls[0].outputs, calls[g].outputs);
  }
  return calls;
}

}  // namespace fovea
