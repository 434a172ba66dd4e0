import type { JsonObject } from '../../util/json.ts';

/** An answer of the kind the specification calls a standard error response. */
export class MatrixError extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly extra: JsonObject;

  constructor(status: number, errcode: string, message: string, extra: JsonObject = {}) {
    super(message);
    this.status = status;
    this.errcode = errcode;
    this.extra = extra;
  }

  body(): JsonObject {
    return { errcode: this.errcode, error: this.message, ...this.extra };
  }
}

export function notFound(message: string): MatrixError {
  return new MatrixError(404, 'M_NOT_FOUND', message);
}

export function forbidden(message: string): MatrixError {
  return new MatrixError(403, 'M_FORBIDDEN', message);
}

export function badParam(message: string): MatrixError {
  return new MatrixError(400, 'M_INVALID_PARAM', message);
}

export function missingParam(name: string): MatrixError {
  return new MatrixError(400, 'M_MISSING_PARAM', `Missing params: ${name}`);
}
