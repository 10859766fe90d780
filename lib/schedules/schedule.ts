import { checkNumber, OptionReader, type Config, type Configurable } from '../util/options.js';
import { Registry } from '../util/registry.js';

/**
 * A learning rate as a pure function of the step: computed on the host in float64, so changing it traces nothing anew
 * and a checkpoint needs to hold nothing but the step.
 */
export abstract class LearningRateSchedule implements Configurable {
  abstract readonly className: string;

  /** The rate of a step; step 0 is the first update. */
  abstract at(step: number): number;
  abstract getConfig(): Config;
}

/** A schedule whose configuration is the options it was made with. */
export abstract class OptionSchedule<O extends object> extends LearningRateSchedule {
  protected readonly args: OptionReader<O & { name?: string }>;

  constructor(owner: string, options: O) {
    super();
    this.args = new OptionReader<O & { name?: string }>(owner, options);
    if (this.args.raw('name') !== undefined) this.args.string('name', owner);
  }

  at(step: number): number {
    return this.rate(checkNumber(this.args.owner, 'step', step, { min: 0 }));
  }

  getConfig(): Config {
    return this.args.config;
  }

  /** The rate of a step that was checked. */
  protected abstract rate(step: number): number;
}

export const scheduleRegistry = new Registry<LearningRateSchedule>('schedule');
