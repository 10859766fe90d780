// Names and layouts of PyTorch's weights: the layers of this folder bear the paths of its modules.
export { fromStateDict, torchWeights, type TorchTensor, type TorchWeight } from '../lib/index.js';
