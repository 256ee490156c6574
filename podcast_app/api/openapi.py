"""The API's description (OpenAPI 3.1), made from the table of routes and the shapes that the handlers use."""

import json
import re
from collections.abc import Iterable

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from media.storage import LARGEST_NUMBER
from podcast_app import answers
from podcast_app.api import problems
from podcast_app.api.operations import OPERATIONS, Operation
from podcast_app.api.problems import ProblemAnswer
from podcast_app.http import services
from podcast_app.models import Json

REFERENCE = "#/components/schemas/{model}"

PARAMETERS = {
    "show": {"description": "the show's address", "schema": {"type": "string"}, "example": "diaspora-insights"},
    "id": {"description": "its id", "schema": {"type": "string"}},
    "language": {"description": "of the text, BCP 47", "schema": {"type": "string"}, "example": "fr"},
    "name": {
        "description": "what is made from the recording",
        "schema": {"type": "string", "enum": ["measurement", "enclosure", "low-mp3", "low-opus"]},
    },
    "number": {"description": "from 1", "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER}},
}
SECURITY: list[Json] = [{"token": []}, {"session": []}]
HEADERS = {
    "Idempotency-Key": "Said again with the same key within 24 hours, the request gets its first answer.",
    "If-Match": "The ETag that the change is meant for; with another one, 412.",
    "If-None-Match": "The ETag that is there already; when it still holds, 304.",
}
MEANINGS = {
    200: "Done",
    201: "Made",
    204: "Done; there is nothing to say",
    304: "As it was",
    400: "The body cannot be read",
    401: "Without a token that is good",
    403: "Allowed to read only; or a signed address that is over",
    404: "Not there, or not for this token",
    409: "Its state does not allow it, or a request with the same key is still being answered",
    412: "It was changed meanwhile",
    413: "Too large",
    415: "Neither JSON nor a form",
    422: "A field is refused, or a check stands in the way",
    500: "Something went wrong on our side",
    503: "The database or the storage does not answer",
    507: "The storage is full",
}


async def described(request: Request) -> Response:
    """GET /openapi.json, for everybody."""
    description = document(request.app.routes, services(request).settings.origin)
    return answers.kept(request, json.dumps(description).encode(), "application/json")


def document(routes: Iterable[BaseRoute], origin: str) -> Json:
    """The description of those of the routes that are the API's."""
    paths: dict[str, dict[str, Json]] = {}
    for route in routes:
        if isinstance(route, Route) and route.endpoint in OPERATIONS:
            operation = OPERATIONS[route.endpoint]
            for method in (route.methods or set()) - {"HEAD"}:
                paths.setdefault(route.path_format, {})[method.lower()] = _operation(
                    route.path_format, operation, is_get=method == "GET"
                )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Podcast app", "version": "1"},
        "servers": [{"url": origin}],
        "security": SECURITY,
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "podcast_session"},
            },
        },
    }


class _Shapes(GenerateJsonSchema):
    """Without defaults, since what is not said stays as it is; and without titles that repeat the names."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  (pydantic's signature)
        return False


def _operation(path: str, operation: Operation, *, is_get: bool) -> Json:
    said: dict[str, Json] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*_in_path(path), *_in_query(operation), *_in_headers(operation, is_get=is_get)],
        "responses": _responses(operation, is_get=is_get),
    }
    if operation.body:
        content = {media_type: {"schema": _reference(model)} for media_type, model in operation.body.items()}
        said["requestBody"] = {"required": operation.body_is_needed, "content": content}
    if operation.raw_body:
        binary = {"schema": {"type": "string", "format": "binary"}}
        said["requestBody"] = {"required": True, "content": dict.fromkeys(operation.raw_body, binary)}
    if operation.is_signed:
        said["security"] = [*SECURITY, {}]  # nothing: for who has the signed address
    return said


def _in_path(path: str) -> list[Json]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": name, "in": "path", "required": True, **PARAMETERS[name]} for name in names]


def _in_query(operation: Operation) -> list[Json]:
    if operation.query is None:
        return []
    properties = operation.query.model_json_schema(schema_generator=_Shapes)["properties"]
    return [{"name": name, "in": "query", "schema": _present(schema)} for name, schema in properties.items()]


def _present(schema: Json) -> Json:
    """A query says no null: what is left out is not there."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return kinds[0]


def _in_headers(operation: Operation, *, is_get: bool) -> list[Json]:
    names = {
        "Idempotency-Key": operation.takes_key,
        "If-Match": operation.takes_version,
        "If-None-Match": operation.is_versioned and is_get,
    }
    return [
        {"name": name, "in": "header", "description": HEADERS[name], "schema": {"type": "string"}}
        for name, is_taken in names.items()
        if is_taken
    ]


def _responses(operation: Operation, *, is_get: bool) -> dict[str, Json]:
    done: dict[str, Json] = {"description": MEANINGS[operation.status]}
    if operation.answer is not None:
        done["content"] = {"application/json": {"schema": _reference(operation.answer)}}
    headers = (["ETag"] if operation.is_versioned else []) + (["Location"] if operation.status == 201 else [])
    if headers:
        done["headers"] = {name: {"required": True, "schema": {"type": "string"}} for name in headers}
    said: dict[str, Json] = {str(operation.status): done}
    if operation.is_versioned and is_get:
        said["304"] = {"description": MEANINGS[304]}
    refused = (*operation.problems, *([412] if operation.takes_version else []))
    for status in sorted(set(refused)):
        content = {problems.MEDIA_TYPE: {"schema": _reference(ProblemAnswer)}}
        said[str(status)] = {"description": MEANINGS[status], "content": content}
    return said


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": REFERENCE.format(model=_name(model))}


def _name(model: type[BaseModel]) -> str:
    """As pydantic writes a generic's name in a reference."""
    return re.sub(r"[^\w.-]", "_", model.__name__)


def _schemas() -> Json:
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ProblemAnswer, "serialization")]
    for operation in OPERATIONS.values():
        wanted += [(operation.answer, "serialization")] if operation.answer else []
        wanted += [(model, "validation") for model in operation.body.values()]
    _, shapes = models_json_schema(wanted, ref_template=REFERENCE, schema_generator=_Shapes)
    return shapes["$defs"]
