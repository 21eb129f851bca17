"""Our schemas in a schema registry, under our own ids (Confluent protocol, import mode)."""

import json

import httpx

from schemas.errors import Fatal
from schemas.registry import FileRegistry, RegisteredSchema

_TIMEOUT_S = 10.0


def register_all(registry: FileRegistry, url: str) -> int:
    """Register every version that the remote registry lacks; returns how many.

    Ids are part of every message already written, so a registry that has another schema under
    one of our ids, or our schema under another id, is refused. Raises ``Fatal`` with a sentence
    in that case and where the registry cannot be reached.
    """
    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
            missing = [schema for schema in registry.versions() if not _is_there(client, schema)]
            for schema in missing:
                _import(client, schema)
    except httpx.HTTPError as error:
        raise Fatal(
            f"the schema registry at {url} cannot be used ({type(error).__name__}: {error}); "
            "start it, correct PREFSTREAM_REGISTRY_URL, or unset it to use the schemas shipped here"
        ) from error
    return len(missing)


def _is_there(client: httpx.Client, schema: RegisteredSchema) -> bool:
    answer = client.get(f"/subjects/{schema.subject}/versions/{schema.version}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    answer.raise_for_status()
    found = answer.json()
    if found["id"] != schema.schema_id or json.loads(found["schema"]) != schema.schema:
        raise Fatal(
            f"the schema registry has {schema.subject} v{schema.version} as id {found['id']}, "
            f"but our messages carry id {schema.schema_id} with our own schema; use another "
            "registry, or another subject context in PREFSTREAM_REGISTRY_URL"
        )
    return True


def _import(client: httpx.Client, schema: RegisteredSchema) -> None:
    mode = f"/mode/{schema.subject}"
    client.put(mode, params={"force": "true"}, json={"mode": "IMPORT"}).raise_for_status()
    try:
        answer = client.post(
            f"/subjects/{schema.subject}/versions",
            json={
                "schema": json.dumps(schema.schema),
                "schemaType": "AVRO",
                "version": schema.version,
                "id": schema.schema_id,
            },
        )
        if answer.is_client_error:
            raise Fatal(
                f"the schema registry refused {schema.subject} v{schema.version} under id "
                f"{schema.schema_id}: {answer.text[:300]}; give it a context of its own"
            )
        answer.raise_for_status()
    finally:
        client.put(mode, json={"mode": "READWRITE"})
