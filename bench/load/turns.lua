-- A script of wrk that sends one kind of request for many people in turn.
--
-- Arguments: a file with one token a line, the method, the path, then headers (`name: value`) and last the body, which may
-- be empty. `{token}` in a header or the body becomes the token of whoever is in turn. Where an answer has a refresh token, it
-- takes the place of the one that was sent; otherwise a token serves again.

local tokens, first, last = {}, 1, 0
local method, path, headers, body
local rotates = false

local function push(token)
  last = last + 1
  tokens[last] = token
end

function init(arguments)
  for line in io.lines(arguments[1]) do push(line) end
  method, path, headers = arguments[2], arguments[3], {}
  for at = 4, #arguments - 1 do
    local name, value = arguments[at]:match("^(.-): (.*)$")
    headers[name] = value
  end
  body = arguments[#arguments]
  rotates = path:find("refresh") ~= nil or body:find("grant_type=refresh_token", 1, true) ~= nil
end

function request()
  local token = tokens[first]
  -- A function, since `%` means something in a replacement that is a string.
  local function fill(text) return (text:gsub("{token}", function() return token end)) end
  tokens[first] = nil
  first = first + 1
  if not rotates then push(token) end
  local sent = {}
  for name, value in pairs(headers) do sent[name] = fill(value) end
  return wrk.format(method, path, sent, fill(body))
end

function response(_, _, answer)
  local token = rotates and answer:match('"refresh_token" *: *"([^"]+)"')
  if token then push(token) end
end

function done(summary, latency)
  print(string.format(
    '{"requests": %d, "failed": %d, "seconds": %f, "p50": %f, "p90": %f}',
    summary.requests,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(90) / 1e3
  ))
end
