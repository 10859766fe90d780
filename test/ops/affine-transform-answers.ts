/** Images of ImageProjectiveTransformV3 (TensorFlow 2.21) of the image 0, 1, ..., 19 of 4 rows; the fill is -2. */
export const TRANSFORMS = {
  rotate: [0.79, -0.61, 1.33, 0.61, 0.79, -1.12],
  shift: [1, 0, -7.3, 0, 1, 6.4],
  zoom: [2.7, 0, -3.4, 0, 0.4, 0.9],
} as const;

export const TRANSFORMED = [
  {
    name: 'rotate',
    fillMode: 'reflect',
    interpolation: 'bilinear',
    y: '1.93 2.12 3.41 7.25 10.6 0.72 2.91 6.75 10.59 14.43 2.41 6.25 10.09 13.93 17.77 6.25 9.59 13.43 16.87 17.66',
  },
  {
    name: 'rotate',
    fillMode: 'reflect',
    interpolation: 'nearest',
    y: '1 2 3 9 9 1 2 7 13 14 0 6 12 12 18 5 10 11 17 18',
  },
  {
    name: 'rotate',
    fillMode: 'wrap',
    interpolation: 'bilinear',
    y: '15.73 17.12 3.41 7.25 6.6 15.72 2.91 6.75 10.59 14.43 2.41 6.25 10.09 13.93 17.77 10.25 9.59 13.43 1.87 2.66',
  },
  {
    name: 'rotate',
    fillMode: 'wrap',
    interpolation: 'nearest',
    y: '16 17 3 9 5 16 2 7 13 14 0 6 12 12 18 9 10 11 2 3',
  },
  {
    name: 'rotate',
    fillMode: 'constant',
    interpolation: 'bilinear',
    y: '-2 0.0188 3.41 7.25 4.426 -0.1776 2.91 6.75 10.59 14.43 2.41 6.25 10.09 13.93 17.77 2.125 9.59 13.43 15.36039 4.09459',
  },
  {
    name: 'rotate',
    fillMode: 'constant',
    interpolation: 'nearest',
    y: '-2 -2 3 9 9 1 2 7 13 14 0 6 12 12 18 -2 10 11 17 -2',
  },
  {
    name: 'rotate',
    fillMode: 'nearest',
    interpolation: 'bilinear',
    y: '1.33 2.12 3.41 7.25 10.6 0.72 2.91 6.75 10.59 14.43 2.41 6.25 10.09 13.93 17.77 6.25 9.59 13.43 16.87 17.66',
  },
  {
    name: 'rotate',
    fillMode: 'nearest',
    interpolation: 'nearest',
    y: '1 2 3 9 9 1 2 7 13 14 0 6 12 12 18 5 10 11 17 18',
  },
  {
    name: 'shift',
    fillMode: 'reflect',
    interpolation: 'bilinear',
    y: '5.7 6.7 7 6.3 5.3 2.7 3.7 4 3.3 2.3 4.7 5.7 6 5.3 4.3 9.7 10.7 11 10.3 9.3',
  },
  { name: 'shift', fillMode: 'reflect', interpolation: 'nearest', y: '8 9 9 8 7 3 4 4 3 2 3 4 4 3 2 8 9 9 8 7' },
  {
    name: 'shift',
    fillMode: 'wrap',
    interpolation: 'bilinear',
    y: '2.7 3.7 4 4 1.7 2.7 3.7 4 4 1.7 4.7 5.7 6 6 3.7 2.7 3.7 4 4 1.7',
  },
  { name: 'shift', fillMode: 'wrap', interpolation: 'nearest', y: '3 4 4 4 2 3 4 4 4 2 3 4 4 4 2 3 4 4 4 2' },
  {
    name: 'shift',
    fillMode: 'constant',
    interpolation: 'bilinear',
    y: '-2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2',
  },
  {
    name: 'shift',
    fillMode: 'constant',
    interpolation: 'nearest',
    y: '-2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2 -2',
  },
  {
    name: 'shift',
    fillMode: 'nearest',
    interpolation: 'bilinear',
    y: '15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15',
  },
  {
    name: 'shift',
    fillMode: 'nearest',
    interpolation: 'nearest',
    y: '15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15',
  },
  {
    name: 'zoom',
    fillMode: 'reflect',
    interpolation: 'bilinear',
    y: '6.9 4.5 6.5 8.5 6.1 8.9 6.5 8.5 10.5 8.1 10.9 8.5 10.5 12.5 10.1 12.9 10.5 12.5 14.5 12.1',
  },
  {
    name: 'zoom',
    fillMode: 'reflect',
    interpolation: 'nearest',
    y: '7 5 7 9 7 7 5 7 9 7 12 10 12 14 12 12 10 12 14 12',
  },
  {
    name: 'zoom',
    fillMode: 'wrap',
    interpolation: 'bilinear',
    y: '6.1 8.5 6.5 4.5 6.9 8.1 10.5 8.5 6.5 8.9 10.1 12.5 10.5 8.5 10.9 12.1 14.5 12.5 10.5 12.9',
  },
  { name: 'zoom', fillMode: 'wrap', interpolation: 'nearest', y: '7 9 7 5 7 7 9 7 5 7 12 14 12 10 12 12 14 12 10 12' },
  {
    name: 'zoom',
    fillMode: 'constant',
    interpolation: 'bilinear',
    y: '-2 -0.05 6.5 1.15 -2 -2 0.55 8.5 1.75 -2 -2 1.15 10.5 2.35 -2 -2 1.75 12.5 2.95 -2',
  },
  {
    name: 'zoom',
    fillMode: 'constant',
    interpolation: 'nearest',
    y: '-2 -2 7 -2 -2 -2 -2 7 -2 -2 -2 -2 12 -2 -2 -2 -2 12 -2 -2',
  },
  {
    name: 'zoom',
    fillMode: 'nearest',
    interpolation: 'bilinear',
    y: '4.5 4.5 6.5 8.5 8.5 6.5 6.5 8.5 10.5 10.5 8.5 8.5 10.5 12.5 12.5 10.5 10.5 12.5 14.5 14.5',
  },
  {
    name: 'zoom',
    fillMode: 'nearest',
    interpolation: 'nearest',
    y: '5 5 7 9 9 5 5 7 9 9 10 10 12 14 14 10 10 12 14 14',
  },
] as const;
