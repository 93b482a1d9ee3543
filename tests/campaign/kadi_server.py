"""A server on this machine that answers as Kadi4Mat does, as far as records, files and links go."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

CHUNK = 1000  # bytes; larger files come in pieces
TOKEN = "pat_secret"


class Kadi:
    """What the server has, and what it was asked."""

    def __init__(self):
        self.records, self.files, self.links, self.uploads, self.asked = {}, {}, {}, {}, []
        self.fails_after = None  # number of requests after which it answers no more

    def meta(self, number):
        actions = {"edit": f"/api/v1/records/{number}", "new_upload": f"/api/v1/records/{number}/uploads"}
        actions["link_record"] = f"/api/v1/records/{number}/records"
        return {
            **self.records[number],
            "id": number,
            "_actions": {k: self.url + v for k, v in actions.items()},
        }

    def new_upload(self, record, name, said):
        number = len(self.uploads) + 1
        kind = "direct" if said["size"] <= CHUNK else "chunked"
        self.uploads[number] = {"record": record, "name": name, "about": said, "chunks": {}}
        meta = {"id": number, "upload_type": kind, "_meta": {"chunk_size": CHUNK}}
        meta["chunk_count"] = -(-said["size"] // CHUNK)
        meta["_actions"] = {"upload_data": f"{self.url}/api/v1/uploads/{number}"}
        meta["_actions"]["finish"] = f"{self.url}/api/v1/uploads/{number}/finish"
        meta["_links"] = {"self": f"{self.url}/api/v1/uploads/{number}"}
        return meta

    def keep(self, number):
        done = self.uploads[number]
        content = b"".join(done["chunks"][i] for i in sorted(done["chunks"]))
        assert len(content) == done["about"]["size"]
        self.files.setdefault(done["record"], {})[done["name"]] = (content, done["about"])

    def answer(self, method, path, headers, body):
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"description": "No valid access token was supplied."}
        said = json.loads(body) if (headers.get("Content-Type") or "").startswith("application/json") else {}
        match method, path.strip("/").split("/")[2:]:
            case "GET", ["records", "identifier", name]:
                found = [n for n, r in self.records.items() if r["identifier"] == name]
                return (200, self.meta(found[0])) if found else (404, {"description": "Not found."})
            case "POST", ["records"]:
                number = len(self.records) + 1
                self.records[number] = {"license": None, **said}
                return 201, self.meta(number)
            case "PATCH", ["records", number]:
                self.records[int(number)] |= said
                return 200, self.meta(int(number))
            case "GET", ["records", number, "files"]:
                return 200, {"items": [self.file(int(number), n) for n in self.files.get(int(number), {})]}
            case "POST", ["records", number, "uploads"]:
                if said["name"] in self.files.get(int(number), {}):
                    return 409, {"file": self.file(int(number), said["name"])}
                return 201, self.new_upload(int(number), said["name"], said)
            case "PUT", ["records", number, "files", name]:
                return 201, self.new_upload(int(number), name, said)
            case "PUT", ["uploads", number]:
                upload = self.uploads[int(number)]
                upload["chunks"][int(headers.get("Kadi-Chunk-Index", 0))] = body
                if "Kadi-Chunk-Index" not in headers:
                    self.keep(int(number))
                    return 201, {}
                actions = {"finish": f"{self.url}/api/v1/uploads/{number}/finish"}
                return 200, {"_actions": actions}
            case "POST", ["uploads", number, "finish"]:
                return 202, {"_links": {"self": f"{self.url}/api/v1/uploads/{number}"}}
            case "GET", ["uploads", number]:
                self.keep(int(number))
                return 200, {"_meta": {"task": {"file": {}}}}
            case "GET", ["records", number, "records"]:
                return 200, {"items": self.links.get(int(number), [])}
            case "POST", ["records", number, "records"]:
                self.links.setdefault(int(number), []).append(said)
                return 201, {}
        return 404, {"description": f"{method} {path}"}

    def file(self, record, name):
        about = self.files[record][name][1]
        edit = f"{self.url}/api/v1/records/{record}/files/{name}"
        return {"name": name, **about, "_actions": {"edit_data": edit}}


@contextmanager
def kadi_server():
    kadi = Kadi()

    class Answers(BaseHTTPRequestHandler):
        def handle_one(self):
            if kadi.fails_after is not None and len(kadi.asked) >= kadi.fails_after:
                self.close_connection = True
                self.connection.close()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            is_json = (self.headers.get("Content-Type") or "").startswith("application/json")
            shape = sorted(json.loads(body)) if is_json else len(body)
            chunk = {k: v for k, v in self.headers.items() if k.startswith("Kadi-")}
            kadi.asked.append([self.command, path, shape, chunk])
            status, said = kadi.answer(self.command, path, self.headers, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = handle_one

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    kadi.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kadi
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
