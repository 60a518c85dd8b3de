"""A Qdrant for tests, where no server can be had: server.py PORT FOLDER [API_KEY].

What it keeps and how it filters, sorts and compares is Qdrant's own engine (qdrant-edge), in a folder, so that it may be killed. Each request has to be one of
Qdrant's published OpenAPI document, in the form of the models that its client generates from that document, in which an unknown member is an error. What
is between the two, HTTP and a few lines per operation, is written here for what agentd asks; anything else is answered with 501."""
import http.server
import importlib.util
import json
import pathlib
import re
import shutil
import site
import sys
import threading
import types
import typing
import urllib.parse

import pydantic
import qdrant_edge as edge


def models_of_the_client():
    """Without the rest of the client, which needs much more: arrays of numpy, for one, of which there are none here."""
    arrays = types.ModuleType("qdrant_client._numpy_vectors")
    arrays.NumpyVectorsToLists = pydantic.BeforeValidator(lambda vectors: vectors)
    sys.modules |= {"qdrant_client": types.ModuleType("qdrant_client"), arrays.__name__: arrays}
    [file] = [place for folder in site.getsitepackages() for place in pathlib.Path(folder).glob("qdrant_client/http/models/models.py")]
    spec = importlib.util.spec_from_file_location("qdrant_models", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["qdrant_models"] = module
    spec.loader.exec_module(module)
    return module


rest = models_of_the_client()
SCHEMA_TYPES = {"keyword": edge.PayloadSchemaType.Keyword, "integer": edge.PayloadSchemaType.Integer}


class Refused(Exception):
    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


# ---- from the models of the REST API to the engine's

def condition(one):
    if isinstance(one, rest.Filter):
        return filter_of(one)
    if not isinstance(one, rest.FieldCondition):
        raise Refused(501, f"condition {type(one).__name__}")
    if one.range is not None:
        return edge.FieldCondition(one.key, range=edge.RangeFloat(**one.range.model_dump(exclude_none=True)))
    match = edge.MatchAny(list(one.match.any)) if isinstance(one.match, rest.MatchAny) else edge.MatchValue(one.match.value)
    return edge.FieldCondition(one.key, match=match)


def filter_of(wanted):
    if wanted is None:
        return None
    parts = {name: getattr(wanted, name) for name in ("must", "should", "must_not")}
    return edge.Filter(**{name: [condition(one) for one in (part if isinstance(part, list) else [part])] for name, part in parts.items() if part is not None})


def order_by(wanted):
    if wanted is None:
        return None
    return edge.OrderBy(wanted.key, edge.Direction.Desc if wanted.direction == rest.Direction.DESC else edge.Direction.Asc)


def payload_wanted(value):
    return True if value is None else value


def record(point, **more):
    return {"id": str(point.id), "payload": point.payload, **more}


class Collection:
    def __init__(self, folder):
        self.folder = folder
        self.about = json.loads((folder / "about.json").read_text())
        shard = folder / "shard"
        self.shard = edge.EdgeShard.load(str(shard)) if shard.exists() else self.make(shard)

    @staticmethod
    def create(folder, request):
        folder.mkdir()
        vectors = request.vectors or {}
        (folder / "about.json").write_text(json.dumps({"size": vectors.size if isinstance(vectors, rest.VectorParams) else None, "vectors": json.loads(json.dumps(vectors, default=lambda v: v.model_dump(mode="json", exclude_none=True))), "indexes": {}}))

    def make(self, shard):
        shard.mkdir()
        size = self.about["size"]
        if size:
            return edge.EdgeShard.create(str(shard), edge.EdgeConfig(vectors=edge.EdgeVectorParams(size, edge.Distance.Cosine)))
        # A server has collections without vectors; the engine alone wants at least one that no point has.
        return edge.EdgeShard.create(str(shard), edge.EdgeConfig(sparse_vectors={"none": edge.EdgeSparseVectorParams()}))

    def update(self, operation):
        self.shard.update(operation)

    def index(self, field, schema):
        schema = schema if isinstance(schema, str) else getattr(schema, "type", schema)
        name = getattr(schema, "value", schema)
        if self.about["indexes"].get(field) == name:
            return
        self.about["indexes"][field] = name
        (self.folder / "about.json").write_text(json.dumps(self.about))
        self.update(edge.UpdateOperation.create_field_index(field, SCHEMA_TYPES[name]))

    def indexed(self, *fields):
        """A server that is run strictly refuses to look where there is no index; so does this one."""
        for field in fields:
            if field not in self.about["indexes"]:
                raise Refused(400, f"no index on {field}")

    def fields(self, wanted):
        if isinstance(wanted, rest.FieldCondition):
            yield wanted.key
        elif wanted is not None:
            for part in (wanted.must, wanted.should, wanted.must_not):
                for one in part if isinstance(part, list) else [part] if part is not None else []:
                    yield from self.fields(one)


class Qdrant:
    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.collections = {}
        for place in folder.iterdir():
            if (place / "about.json").exists():
                self.collections[place.name] = Collection(place)

    def the(self, name):
        if name not in self.collections:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]

    def create(self, name, request, _):
        if name in self.collections:
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        Collection.create(self.folder / name, request)
        self.collections[name] = Collection(self.folder / name)
        return True

    def delete(self, name, _request, _query):
        if name not in self.collections:
            return False
        self.collections.pop(name).shard.close()
        shutil.rmtree(self.folder / name)
        return True

    def tell(self, name, _request, _query):
        about = self.the(name).about
        return {"status": "green", "optimizer_status": "ok", "segments_count": 1, "payload_schema": {},
                "config": {"params": {"vectors": about["vectors"]}, "hnsw_config": {}, "optimizer_config": {}}}

    def index(self, name, request, query):
        self.acknowledge(query)
        self.the(name).index(request.field_name, request.field_schema)
        return {"operation_id": 0, "status": "completed"}

    def upsert(self, name, request, query):
        self.acknowledge(query)
        collection = self.the(name)
        for point in request.points:
            if collection.about["size"] and len(point.vector) != collection.about["size"]:
                raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {collection.about['size']}, got {len(point.vector)}")
        collection.update(edge.UpdateOperation.upsert_points([edge.Point(point.id, point.vector, point.payload) for point in request.points]))
        return {"operation_id": 0, "status": "completed"}

    def delete_points(self, name, request, query):
        self.acknowledge(query)
        if not isinstance(request, rest.PointIdsList):
            raise Refused(501, "points by filter")
        self.the(name).update(edge.UpdateOperation.delete_points(list(request.points)))
        return {"operation_id": 0, "status": "completed"}

    def retrieve(self, name, request, _):
        return [record(point) for point in self.the(name).shard.retrieve(request.ids, payload_wanted(request.with_payload), False)]

    def scroll(self, name, request, _):
        collection = self.the(name)
        collection.indexed(*collection.fields(request.filter), *([request.order_by.key] if request.order_by else []))
        points, following = collection.shard.scroll(edge.ScrollRequest(None, request.limit, filter_of(request.filter), payload_wanted(request.with_payload), False, order_by(request.order_by)))
        return {"points": [record(point) for point in points], "next_page_offset": None if request.order_by else following and str(following)}

    def query(self, name, request, _):
        collection = self.the(name)
        collection.indexed(*collection.fields(request.filter))
        if len(request.query) != collection.about["size"]:
            raise Refused(400, f"Wrong input: Vector dimension error: expected dim: {collection.about['size']}, got {len(request.query)}")
        found = collection.shard.query(edge.QueryRequest(request.limit, query=edge.Query.Nearest(request.query), filter=filter_of(request.filter), with_payload=request.with_payload, with_vector=False))
        return {"points": [record(point, version=point.version, score=point.score) for point in found]}

    def count(self, name, request, _):
        return {"count": self.the(name).shard.count(edge.CountRequest(request.exact, filter_of(request.filter)))}

    @staticmethod
    def acknowledge(query):
        if query.get("wait") != "true":
            raise Refused(501, "without wait=true nothing is certain")


def one_of(*wanted):
    return pydantic.TypeAdapter(wanted[0] if len(wanted) == 1 else typing.Union[wanted]).validate_python


OPERATIONS = [
    ("PUT", r"/collections/([^/]+)", Qdrant.create, one_of(rest.CreateCollection)),
    ("GET", r"/collections/([^/]+)", Qdrant.tell, None),
    ("DELETE", r"/collections/([^/]+)", Qdrant.delete, None),
    ("PUT", r"/collections/([^/]+)/index", Qdrant.index, one_of(rest.CreateFieldIndex)),
    ("PUT", r"/collections/([^/]+)/points", Qdrant.upsert, one_of(rest.PointsList)),
    ("POST", r"/collections/([^/]+)/points", Qdrant.retrieve, one_of(rest.PointRequest)),
    ("POST", r"/collections/([^/]+)/points/delete", Qdrant.delete_points, one_of(rest.PointIdsList, rest.FilterSelector)),
    ("POST", r"/collections/([^/]+)/points/scroll", Qdrant.scroll, one_of(rest.ScrollRequest)),
    ("POST", r"/collections/([^/]+)/points/query", Qdrant.query, one_of(rest.QueryRequest)),
    ("POST", r"/collections/([^/]+)/points/count", Qdrant.count, one_of(rest.CountRequest)),
]


def serve(port, folder, api_key):
    qdrant = Qdrant(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            place = urllib.parse.urlsplit(self.path)
            try:
                if api_key and self.headers.get("api-key") != api_key:
                    raise Refused(401, "Must provide an API key or an Authorization bearer token")
                for method, pattern, does, read in OPERATIONS:
                    name = re.fullmatch(pattern, place.path)
                    if name and method == self.command:
                        request = read(json.loads(body)) if read else None
                        with qdrant.lock:
                            return self.reply(200, {"status": "ok", "time": 0.0, "result": does(qdrant, name[1], request, dict(urllib.parse.parse_qsl(place.query)))})
                raise Refused(501, f"{self.command} {place.path} is nothing that agentd asks")
            except pydantic.ValidationError as wrong:
                print(wrong, file=sys.stderr, flush=True)
                self.reply(400, {"status": {"error": f"Format error in JSON body: {wrong}"}, "time": 0.0})
            except Refused as refused:
                self.reply(refused.status, {"status": {"error": str(refused)}, "time": 0.0})
            except Exception as broken:
                self.reply(500, {"status": {"error": repr(broken)}, "time": 0.0})
                raise

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def reply(self, status, value):
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *about):
            if not isinstance(sys.exc_info()[1], OSError):  # else who asked has gone
                super().handle_error(*about)

    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "")
