import type * as Vega from 'vega';
import type * as VegaLite from 'vega-lite';
import { FoveaError } from '../errors.js';
import { checkHistory, type TrainingHistory } from './history.js';

const VALIDATION = 'val_';

/** One point of a curve. */
interface Point {
  readonly epoch: number;
  readonly set: 'train' | 'validation';
  readonly value: number;
}

/** The metrics without their validation twins, loss first. */
function metricsOf(history: TrainingHistory): string[] {
  const names = Object.keys(history.history).map((name) => name.replace(VALIDATION, ''));
  return [...new Set(names)].sort((a, b) => Number(b === 'loss') - Number(a === 'loss'));
}

function pointsOf(history: TrainingHistory, metric: string): Point[] {
  const series = (name: string, set: Point['set']): Point[] =>
    (history.history[name] ?? []).map((value, index) => ({ epoch: (history.epoch[index] ?? index) + 1, set, value }));
  const points = [...series(metric, 'train'), ...series(VALIDATION + metric, 'validation')];
  // A loss that has become NaN has no place on an axis; the CSV has it.
  return points.filter(({ value }) => Number.isFinite(value));
}

/**
 * The training curves as a Vega-Lite specification: a chart per metric, train and validation in it, epochs counted from 1.
 *
 * @throws FoveaError ERR_ARGUMENT when a series has not one value per epoch
 */
export function curvesSpec(history: TrainingHistory, title?: string): VegaLite.TopLevelSpec {
  checkHistory(history);
  const epochs = history.epoch.length;
  // The same for colour and dash, so that they share one.
  const legend = { title: null, orient: 'top' as const };
  const chart = (metric: string) => ({
    width: 360,
    height: 240,
    data: { values: pointsOf(history, metric) },
    mark: { type: 'line' as const, point: epochs <= 50 },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative' as const,
        axis: { title: 'epoch', tickMinStep: 1, format: 'd' },
        scale: { zero: false, nice: false },
      },
      y: { field: 'value', type: 'quantitative' as const, axis: { title: metric }, scale: { zero: false } },
      color: {
        field: 'set',
        type: 'nominal' as const,
        scale: { domain: ['train', 'validation'], range: ['#1f77b4', '#d95f02'] },
        legend,
      },
      strokeDash: { field: 'set', type: 'nominal' as const, scale: { domain: ['train', 'validation'] }, legend },
    },
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...(title === undefined ? {} : { title }),
    background: 'white',
    config: { axis: { grid: true, gridColor: '#e6e6e6' } },
    hconcat: metricsOf(history).map(chart),
  };
}

/**
 * Draws a Vega-Lite specification as SVG. The packages `vega` and `vega-lite` are loaded only now.
 *
 * @throws FoveaError ERR_UNSUPPORTED when they are not installed
 */
export async function renderSvg(spec: VegaLite.TopLevelSpec): Promise<string> {
  let vega: typeof Vega;
  let lite: typeof VegaLite;
  try {
    [vega, lite] = await Promise.all([import('vega'), import('vega-lite')]);
  } catch (cause) {
    throw new FoveaError(
      'curves: expected the packages vega and vega-lite to be installed (npm install vega vega-lite)',
      {
        code: 'ERR_UNSUPPORTED',
        op: 'curves',
        cause,
      },
    );
  }
  const view = new vega.View(vega.parse(lite.compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
