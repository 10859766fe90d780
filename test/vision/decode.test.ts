import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { vision } from '../../lib/index.js';
import { expectTensorClose } from '../support/golden.js';
import { EXACT, fixturePath, imageFixtures, readFixture } from './fixtures.js';

describe('decodeImage', () => {
  test.each(imageFixtures)('$file ($mode) is what Pillow decodes', async ({ file, rgb, native }) => {
    const image = await vision.decodeImage(readFixture(file));
    expect(image.dtype).toBe('uint8');
    expectTensorClose(image.data, image.shape, rgb, { ...EXACT, label: file });
    if (!native) return;
    const channels = native.shape[2] ?? 1;
    const own = await vision.decodeImage(readFixture(file), { colorMode: channels === 4 ? 'rgba' : 'grayscale' });
    expectTensorClose(own.data, own.shape, { ...native, shape: [...native.shape.slice(0, 2), channels] }, EXACT);
  });

  test('grey is 0.299 R + 0.587 G + 0.114 B, as Pillow rounds it; alpha that is not there is 255', async () => {
    const rgb = await vision.decodeImage(readFixture('rgb.png'));
    const grey = await vision.decodeImage(readFixture('rgb.png'), { colorMode: 'grayscale' });
    expect(grey.shape).toEqual([48, 64, 1]);
    const [r, g, b] = rgb.data;
    expect(grey.data[0]).toBe((r! * 19595 + g! * 38470 + b! * 7471 + 32768) >> 16);
    const rgba = await vision.decodeImage(readFixture('rgb.png'), { colorMode: 'rgba' });
    expect([...rgba.data.slice(0, 4)]).toEqual([r, g, b, 255]);
  });

  test('turns by EXIF only when asked', async () => {
    const stored = await vision.decodeImage(readFixture('exif6.jpg'));
    const turned = await vision.decodeImage(readFixture('exif6.jpg'), { exifOrientation: true });
    expect([stored.shape, turned.shape]).toEqual([
      [48, 64, 3],
      [64, 48, 3],
    ]);
    // Orientation 6: the first row of what is shown is the first column as stored, from below.
    expect([...turned.data.slice(0, 3)]).toEqual([...stored.data.slice(47 * 64 * 3, 47 * 64 * 3 + 3)]);
  });

  test('grey with alpha and 16 bits of colour', async () => {
    const la = await sharp(Buffer.from([10, 200, 20, 0]), { raw: { width: 2, height: 1, channels: 2 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await vision.decodeImage(la)).data]).toEqual([10, 10, 10, 20, 20, 20]);
    expect([...(await vision.decodeImage(la, { colorMode: 'rgba' })).data]).toEqual([10, 10, 10, 200, 20, 20, 20, 0]);
    const deep = await sharp(Uint16Array.from([0x12ff, 0x3400, 0xabcd]), { raw: { width: 1, height: 1, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect([...(await vision.decodeImage(deep)).data]).toEqual([0x12, 0x34, 0xab]);
  });

  test.each([
    ['nothing', () => Buffer.alloc(0)],
    ['text', () => Buffer.from('not an image, though long enough to look at')],
    ['a JPEG cut short', () => readFixture('rocket.jpg').subarray(0, 20_000)],
    ['a PNG cut short', () => readFixture('rgb.png').subarray(0, 4_000)],
    [
      'a PNG with a damaged stream',
      () => {
        const bytes = Buffer.from(readFixture('rgb.png'));
        bytes.fill(0x55, 3000, 3100);
        return bytes;
      },
    ],
  ])('%s is an error that names the image', async (_, bytes) => {
    await expect(vision.decodeImage(bytes(), { name: 'photo 7' })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^decodeImage: cannot decode photo 7: ./) as string,
    });
  });

  test('an image of too many pixels is refused before it is decoded', async () => {
    await expect(vision.decodeImage(readFixture('rgb.png'), { maxPixels: 3071 })).rejects.toThrow(/pixel limit/);
    expect((await vision.decodeImage(readFixture('rgb.png'), { maxPixels: 3072 })).shape).toEqual([48, 64, 3]);
  });

  test('refuses options that nobody reads', async () => {
    const options = { sise: 3 } as vision.LoadImageOptions;
    await expect(vision.loadImage(fixturePath('rgb.png'), options)).rejects.toThrow('loadImage: unknown option sise');
  });

  test('refuses other colour modes and what is no bytes', async () => {
    await expect(vision.decodeImage(readFixture('rgb.png'), { colorMode: 'hsv' as 'rgb' })).rejects.toThrow(
      /colorMode/,
    );
    await expect(vision.decodeImage('rgb.png' as unknown as Uint8Array)).rejects.toThrow(/bytes of an image/);
  });
});

describe('loadImage', () => {
  test('reads a path, a URL or bytes; nearest unless told, as in Keras', async () => {
    const url = fixturePath('rgb.png');
    const image = await vision.loadImage(url);
    expect(await vision.loadImage(url.pathname)).toEqual(image);
    expect(await vision.loadImage(readFixture('rgb.png'))).toEqual(image);
    const small = await vision.loadImage(url, { size: [20, 33] });
    expect(small).toEqual(vision.resizeImage(image, [20, 33], { interpolation: 'nearest' }));
    const soft = await vision.loadImage(url, { size: 24, interpolation: 'bicubic', keepAspectRatio: true });
    expect(soft).toEqual(vision.resizeImage(vision.cropToAspect(image, 24), 24, { interpolation: 'bicubic' }));
  });

  test('errors name the file', async () => {
    await expect(vision.loadImage('no/such.jpg')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await expect(vision.loadImage('no/such.jpg')).rejects.toThrow(/loadImage: cannot read no\/such\.jpg/);
    await expect(vision.loadImage(fixturePath('idx.json'))).rejects.toThrow(/cannot decode .*idx\.json/);
    await expect(vision.loadImage(fixturePath('rgb.png'), { size: [0, 3] })).rejects.toThrow(/size/);
  });
});
