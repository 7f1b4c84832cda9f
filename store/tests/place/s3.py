"""A server of S3 on loopback, for tests: makes the bucket `bucket`, prints its port, and serves until its input ends.

Usage: s3.py N. Of every Nth PUT the answer is lost: the object is written, and the client is told that the server failed. 0 loses none.
"""

import logging
import sys
import threading

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

lose_every = int(sys.argv[1])
moto = DomainDispatcherApplication(create_backend_app)
# In moto, looking whether an object is there and writing it are two steps.
one_at_a_time = threading.Lock()
puts = 0


def application(environ, start_response):
    global puts
    with one_at_a_time:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].count("/") > 1:
            puts += 1
            if lose_every and puts % lose_every == 0:
                list(moto(environ, lambda *_: None))
                start_response("500 Internal Server Error", [("Content-Length", "0")])
                return []
        return list(moto(environ, start_response))


logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, application, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
account = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.port}", **account).create_bucket(Bucket="bucket")
print(server.port, flush=True)
sys.stdin.read()
