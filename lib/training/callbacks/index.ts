/** Callbacks: the `callbacks` namespace of the library. */
export { Callback, type CallbackParameters, type HookName, type HookResult } from './callback.js';
export { Backup, type BackupOptions } from './backup.js';
export { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.js';
export { History } from './history.js';
export { LambdaCallback, type Hooks } from './lambda-callback.js';
export { ModelCheckpoint, type ModelCheckpointOptions } from './model-checkpoint.js';
export { ProgressBar } from './progress-bar.js';
export { RunLogger } from './run-logger.js';
export { TerminateOnNaN } from './terminate-on-nan.js';
