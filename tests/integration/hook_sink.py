#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A listener for hooks: hook_sink.py FOLDER SECRET

Says its port on stdout. Each request becomes FOLDER/N.json, numbered from 1: path, delivery, event, id,
whether the signature is that of the body as it came (valid), and whether it would be so under another
secret (forged). What is answered depends on the path:
  /ok        204              /busy      503 twice, then 200
  /gone      410              /redirect  307 to /elsewhere
  /rude      500 and ten megabytes, then 200
  /huge      200 and as much as is taken; FOLDER/huge is how many bytes that was
  /cut       nothing: the connection is closed
  /slow      nothing before FOLDER/release is there
"""
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time

folder, secret = sys.argv[1], sys.argv[2].encode()
lock = threading.Lock()
count = 0
seen = {}


def signature(body, key):
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def keep(record):
    global count
    with lock:
        count += 1
        with open(f"{folder}/{count}.part", "w") as f:
            json.dump(record, f)
        os.rename(f"{folder}/{count}.part", f"{folder}/{count}.json")
        seen[record["path"]] = seen.get(record["path"], 0) + 1
        return seen[record["path"]]


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        try:
            while sent < 256 << 20:
                self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
        with open(f"{folder}/huge", "w") as f:
            f.write(f"{sent}\n")
        self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        given = self.headers.get("Faultline-Signature", "")
        view = json.loads(body)
        times = keep({"path": self.path, "delivery": self.headers.get("Faultline-Delivery"),
                      "type": self.headers.get("Content-Type"),
                      "event": view.get("event"), "id": view.get("id"), "ref": view.get("ref"),
                      "valid": hmac.compare_digest(given, signature(body, secret)),
                      "forged": hmac.compare_digest(given, signature(body, secret + b"x")),
                      "at": time.monotonic()})
        if self.path == "/busy":
            self.answer(503 if times <= 2 else 200)
        elif self.path == "/rude":
            self.answer(500 if times == 1 else 200, b"x" * (10 << 20) if times == 1 else b"")
        elif self.path == "/gone":
            self.answer(410, b"not here")
        elif self.path == "/redirect":
            self.answer(307, Location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        elif self.path == "/huge":
            self.endless()
        elif self.path == "/cut":
            self.close_connection = True
        elif self.path == "/slow":
            while not os.path.exists(f"{folder}/release"):
                time.sleep(0.05)
            self.answer(200)
        else:
            self.answer(204)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the other side is gone

    def log_message(self, *args):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()
