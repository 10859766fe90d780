/** Event files of TensorBoard: what the callback `TensorBoard` and hand-written loops write. */
export { decodeEvent, type SummaryValue, type TensorBoardEvent } from './events.js';
export { readEvents } from './read.js';
export { SummaryWriter, type SummaryImage } from './summary-writer.js';
