// Owns the keys of the table of a mock: a method and a path, `GET /users`.
const methods = ['*', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
export const keyPattern = new RegExp(
  `^(?<method>${methods.map((method) => method.replace('*', '\\*')).join('|')}) (?<path>/\\S*)$`,
)
