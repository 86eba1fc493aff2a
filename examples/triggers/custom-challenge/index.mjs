// Signing in with a code that comes by mail. One function is all three triggers: DefineAuthChallenge,
// CreateAuthChallenge and VerifyAuthChallengeResponse. It keeps nothing: what has to be remembered between the rounds
// is in the event.
import { createHash, randomInt, timingSafeEqual } from 'node:crypto'

const ATTEMPTS = 3
const { MAIL_FROM: sender, AWS_ENDPOINT_URL_SESV2: mailbox } = process.env
const send = mailbox ? toMailbox : await throughSes()

const triggers = {
  DefineAuthChallenge_Authentication: define,
  CreateAuthChallenge_Authentication: create,
  VerifyAuthChallengeResponse_Authentication: verify,
}

export async function handler(event) {
  const answer = triggers[event.triggerSource]
  if (!answer) throw new Error(`no trigger for ${event.triggerSource}`)
  return { ...event, response: await answer(event.request) }
}

// What comes next: tokens, a refusal, or another round. A client can begin with challenges of its own choice, so what
// is not ours ends the sign-in instead of counting as a round.
function define({ session, userNotFound }) {
  const isOurs = session.every((round) => round.challengeName === 'CUSTOM_CHALLENGE')
  const isRight = session.at(-1)?.challengeResult === true && !userNotFound
  const issueTokens = isOurs && isRight
  const failAuthentication = !issueTokens && (!isOurs || session.length >= ATTEMPTS)
  const next = issueTokens || failAuthentication ? {} : { challengeName: 'CUSTOM_CHALLENGE' }
  return { issueTokens, failAuthentication, ...next }
}

// The first round makes the code and mails it, later ones ask for the same. It comes back in the metadata, which these
// triggers alone see: the client sees the public parameters, and the private ones go to `verify`.
async function create({ session, userAttributes, userNotFound }) {
  const earlier = session.at(-1)?.challengeMetadata?.replace(/^CODE-/, '')
  const code = earlier ?? String(randomInt(1_000_000)).padStart(6, '0')
  // An address that nobody has confirmed may be somebody else's. Who gets no mail gets the same answer, only sooner:
  // where that time may tell nobody who has an account, put the mail into a queue for everybody.
  const isReachable = !userNotFound && userAttributes.email_verified === 'true'
  if (!earlier && isReachable) await send(letter(userAttributes.email, code))
  return {
    publicChallengeParameters: { medium: 'EMAIL', attempts: String(ATTEMPTS - session.length) },
    privateChallengeParameters: { code },
    challengeMetadata: `CODE-${code}`,
  }
}

function verify({ privateChallengeParameters, challengeAnswer, userNotFound }) {
  const isRight = isSame(String(challengeAnswer).trim(), privateChallengeParameters.code)
  return { answerCorrect: isRight && !userNotFound }
}

// In the same time for every answer: `timingSafeEqual` takes equal lengths only, which digests have.
function isSame(...texts) {
  const [one, other] = texts.map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(one, other)
}

function letter(email, code) {
  const text = `Your code is ${code}.\n\nIf you did not want to sign in, you need not do anything.\n`
  return {
    FromEmailAddress: sender,
    Destination: { ToAddresses: [email] },
    Content: { Simple: { Subject: { Data: 'Your code to sign in' }, Body: { Text: { Data: text } } } },
  }
}

// Lambda's runtime brings the SDK, so that nothing has to be installed. One client serves every event.
async function throughSes() {
  const { SESv2Client, SendEmailCommand } = await import('@aws-sdk/client-sesv2')
  const client = new SESv2Client()
  return (mail) => client.send(new SendEmailCommand(mail))
}

// On a developer's machine there is no SDK, and a mailbox that takes the same request, unsigned, in the place of SES.
async function toMailbox(mail) {
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(mail) }
  const response = await fetch(`${mailbox}/v2/email/outbound-emails`, options)
  if (!response.ok) throw new Error(`the mailbox answered ${response.status}`)
}
