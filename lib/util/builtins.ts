import type * as Crypto from 'node:crypto';
import type * as Zlib from 'node:zlib';

/**
 * @file
 * Modules of Node that few programs need and that take it longest to load, loaded when they are first used. Imported at
 * the top of a file, each would cost every program that imports Fovea 3 to 5 ms.
 */

/** `node:crypto`. */
export const crypto = (): typeof Crypto => process.getBuiltinModule('node:crypto');

/** `node:zlib`. */
export const zlib = (): typeof Zlib => process.getBuiltinModule('node:zlib');
