// Runs a Node handler as Lambda's own runtime does: node run.mjs FILE EXPORT.
import { once } from 'node:events'
import { request } from 'node:http'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const [file, name] = process.argv.slice(2)
const { [name]: handler } = await import(pathToFileURL(resolve(file)))
const invocations = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`

// Without `fetch`, which gives up after five minutes: the next event may take longer to come.
async function call(method, path, headers, body) {
  const sent = request(`${invocations}/${path}`, { method, headers }).end(body)
  const [response] = await once(sent, 'response')
  return [response.headers, await text(response)]
}

async function answer(event, context) {
  try {
    return ['response', {}, (await handler(event, context)) ?? null]
  } catch (error) {
    console.error(error)
    const { name: errorType = typeof error, message: errorMessage = String(error) } = Object(error)
    return ['error', { 'lambda-runtime-function-error-type': errorType }, { errorType, errorMessage }]
  }
}

for (;;) {
  const [{ 'lambda-runtime-aws-request-id': awsRequestId }, event] = await call('GET', 'next')
  const [kind, headers, body] = await answer(JSON.parse(event), { awsRequestId })
  await call('POST', `${awsRequestId}/${kind}`, headers, JSON.stringify(body))
}
