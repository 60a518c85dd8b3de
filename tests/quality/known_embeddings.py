"""An OpenAI-compatible endpoint that knows the vectors of the labelled set and refuses every other text: nothing is compared with what is made up."""
import http.server
import json
import math
import threading


class KnownEmbeddings:
    def __init__(self, vectors):
        lengths = {text: math.hypot(*vector) for text, vector in vectors.items()}
        self.known = {text: json.dumps([round(number / lengths[text], 7) for number in vector]) for text, vector in vectors.items()}
        self.refused = []
        known, refused = self.known, self.refused

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
                asked = [asked] if isinstance(asked, str) else asked
                strange = [text for text in asked if text not in known]
                refused.extend(strange)
                if strange:
                    return self.answer(400, json.dumps({"error": {"type": "invalid_request_error", "message": f"no vector is known of {strange[0]!r}"}}))
                data = ",".join(f'{{"object":"embedding","index":{i},"embedding":{known[text]}}}' for i, text in enumerate(asked))
                self.answer(200, f'{{"object":"list","model":"known","data":[{data}],"usage":{{"prompt_tokens":1,"total_tokens":1}}}}')

            def answer(self, status, body):
                body = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
