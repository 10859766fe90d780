export { TorchFile, type TorchArray, type TorchEntry } from './file.js';
export { loadTorchWeights, type LoadTorchOptions } from './load.js';
export { fromStateDict, torchWeights, type TorchTensor, type TorchWeight } from './names.js';
