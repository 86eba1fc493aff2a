// PreSignUp: addresses of these domains alone may sign up.
import type { PreSignUpTriggerHandler } from 'aws-lambda'

const DOMAINS = new Set(['example.com', 'example.org'])

export const handler: PreSignUpTriggerHandler = async (event) => {
  // The last part: `"a@example.com"@example.net` is an address at example.net.
  const domain = event.request.userAttributes.email?.split('@').at(-1)?.toLowerCase()
  // Whoever signs up reads this message. The pool puts a full stop after it.
  if (!domain || !DOMAINS.has(domain)) throw new Error(`addresses at ${domain} may not sign up here`)
  // The domain is right, but whether the address is theirs is for the mail to show.
  event.response.autoConfirmUser = false
  return event
}
