/** The rows of the performance table. */

export type Peer = 'torch' | 'torch-compile' | 'keras' | 'onnxruntime' | 'tfjs';
export const PRECISIONS = ['f32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

export interface Row {
  /**
   * As `bench/peers` names it; `infer-` is inference, the others are training steps. `first-prediction` is a whole
   * process that loads a saved CNN and predicts one image.
   */
  readonly workload: string;
  readonly batch: number;
  readonly peers: readonly Peer[];
  /** Steps timed in one process, after warming up. */
  readonly steps: number;
}

export const ROWS: readonly Row[] = [
  { workload: 'first-prediction', batch: 1, peers: ['torch', 'keras', 'tfjs'], steps: 1 },
  { workload: 'fashion', batch: 32, peers: ['torch', 'torch-compile', 'keras'], steps: 15 },
  { workload: 'fashion', batch: 128, peers: ['torch', 'torch-compile', 'keras'], steps: 9 },
  { workload: 'resnet34', batch: 32, peers: ['torch', 'torch-compile', 'keras'], steps: 3 },
  { workload: 'vgg16', batch: 8, peers: ['torch', 'torch-compile'], steps: 3 },
  { workload: 'alexnet', batch: 32, peers: ['torch', 'torch-compile'], steps: 5 },
  { workload: 'xception', batch: 8, peers: ['torch', 'torch-compile'], steps: 3 },
  { workload: 'infer-resnet50', batch: 1, peers: ['torch', 'torch-compile', 'onnxruntime'], steps: 15 },
  { workload: 'infer-resnet50', batch: 32, peers: ['torch', 'torch-compile', 'onnxruntime'], steps: 5 },
];

/** One line of the result. */
export interface Result {
  workload: string;
  precision: Precision;
  batch: number;
  ours_ms: number;
  peer?: string;
  peer_ms?: number;
  /** Our speed over the peer's. */
  ratio?: number;
  /** Our convolutions and dense layers alone. */
  floor_ms?: number;
  /** Largest resident size of our process; not taken of a first prediction. */
  peak_mb?: number;
  peer_peak_mb?: number;
}

const COLUMNS = ['workload', 'precision', 'batch', 'fovea ms', 'floor ms', 'peer', 'peer ms', 'ratio', 'MB', 'peer MB'];

function titleOf(workload: string): string {
  if (workload === 'first-prediction') return 'import and first prediction';
  return workload.startsWith('infer-') ? `${workload.slice(6)}, inference` : `${workload}, training`;
}

/** The results as a Markdown table. */
export function markdown(results: readonly Result[]): string {
  const line = (cells: readonly (string | number | undefined)[]): string =>
    `| ${cells.map((c) => String(c ?? '')).join(' | ')} |`;
  return [
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...results.map((r) =>
      line([
        titleOf(r.workload),
        r.precision,
        r.batch,
        r.ours_ms,
        r.floor_ms,
        r.peer,
        r.peer_ms,
        r.ratio,
        r.peak_mb,
        r.peer_peak_mb,
      ]),
    ),
  ].join('\n');
}
