/** The version that answers, logs and OpenAPI name; kept equal to package.json's by a test. */
export const VERSION = '0.1.0'
