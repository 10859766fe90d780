/** Callbacks: the `callbacks` namespace of the library. */
export {
  Callback,
  type CallbackParameters,
  type CallbackState,
  type CallbackValue,
  type HookName,
  type HookResult,
} from './callback.js';
export { BackupAndRestore, type BackupAndRestoreOptions } from './backup-and-restore.js';
export { CSVLogger, type CSVLoggerOptions } from './csv-logger.js';
export { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.js';
export { History } from './history.js';
export { LambdaCallback, type Hooks } from './lambda-callback.js';
export { LearningRateScheduler, type RateSchedule } from './learning-rate-scheduler.js';
export { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.js';
export type { MonitorMode, Print, VerboseOptions } from './monitor.js';
export { ProgressBar } from './progress-bar.js';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.js';
export { RunLogger } from './run-logger.js';
export type { SaveFrequency } from './save-frequency.js';
export { TensorBoard, type TensorBoardOptions } from './tensor-board.js';
export { TerminateOnNaN, type TerminateOnNaNOptions } from './terminate-on-nan.js';
export { ThroughputMeter, type Throughput, type ThroughputMeterOptions } from './throughput-meter.js';
