"""A plain HTTP client of a service that really listens, and a bad line to it."""

import socket
import threading
from contextlib import contextmanager

import httpx

from tieline.service.serving import in_background


@contextmanager
def visiting(app, **headers):
    """Run an app; yields a plain HTTP client of it."""
    with in_background(app) as address, httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        yield client


@contextmanager
def bad_line(address, every=2):
    """A line to a service that loses every second answer, after the service has given it.

    Yields its address, and the list of all requests that came through.
    """
    _, _, port = address.rpartition(":")
    door, requests = socket.create_server(("127.0.0.1", 0)), []

    def pass_on(caller):
        with caller, socket.create_connection(("127.0.0.1", int(port))) as service:
            request = b""
            while not is_whole(request):
                if not (part := caller.recv(65536)):
                    return
                request += part
            requests.append(request)
            service.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
            answer = b"".join(iter(lambda: service.recv(65536), b""))
            if len(requests) % every:
                return  # the answer is lost
            caller.sendall(answer)

    def listen():
        while True:
            try:
                caller, _ = door.accept()
            except OSError:
                return
            pass_on(caller)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}", requests
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join()


def is_whole(request):
    """Whether a request has all that its header says."""
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].split(b":")[1]) if lengths else 0)
