"""Runs a Python handler as Lambda's own runtime does: python3 run.py FILE FUNCTION."""

import http.client, importlib.util, json, os, signal, sys, traceback, types


def call(method, path, headers, body=None):
    # Without a timeout, since the next event may take long to come.
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, f"/2018-06-01/runtime/invocation/{path}", body, headers)
    response = connection.getresponse()
    return response.headers, response.read()


def answer(event, context):
    try:
        return "response", {}, handler(event, context)
    except Exception as error:
        traceback.print_exc()
        kind = type(error).__name__
        return "error", {"Lambda-Runtime-Function-Error-Type": kind}, {"errorType": kind, "errorMessage": str(error)}


signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is how this ends, and no error.
spec = importlib.util.spec_from_file_location("function", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
handler = getattr(module, sys.argv[2])
while True:
    headers, event = call("GET", "next", {})
    invocation = headers["Lambda-Runtime-Aws-Request-Id"]
    path, headers, body = answer(json.loads(event), types.SimpleNamespace(aws_request_id=invocation))
    call("POST", f"{invocation}/{path}", headers, json.dumps(body))
