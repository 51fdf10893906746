"""The OpenAPI document, and /docs: the same to read and try, without a request to anybody else."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from service.api.json_response import JsonResponse

PAGE = "/docs"
_STYLE, _LIBRARY, _ICON = "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"
_START = "start.js"
PATHS = (
    "/",
    "/openapi.json",
    PAGE,
    *(f"{PAGE}/{name}" for name in (_STYLE, _LIBRARY, _ICON, _START)),
)
"""All need no key: they say nothing about a customer."""

_TYPES = {_STYLE: "text/css", _LIBRARY: "text/javascript", _ICON: "image/png"}
_CACHED = {"cache-control": "public, max-age=86400"}
# Swagger UI has small pictures in its style sheet, as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Addresses are relative, so that the page works behind a proxy's prefix, too.
_HTML = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Churn scoring</title>
<link rel="icon" href="docs/{_ICON}">
<link rel="stylesheet" href="docs/{_STYLE}">
</head>
<body>
<noscript>This page needs JavaScript. <a href="openapi.json">openapi.json</a> says the same.</noscript>
<div id="swagger-ui"></div>
<script src="docs/{_LIBRARY}"></script>
<script src="docs/{_START}"></script>
</body>
</html>
"""
_SCRIPT = """const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""


def add_documentation_routes(app: FastAPI) -> None:
    """Adds /openapi.json, /docs with its files, and / which leads there."""

    @app.get("/", include_in_schema=False)
    async def root(_request: Request) -> Response:
        return RedirectResponse(PAGE.removeprefix("/"))

    @app.get("/openapi.json", include_in_schema=False)
    async def document(_request: Request) -> Response:
        return JsonResponse(app.openapi())

    @app.get(PAGE, include_in_schema=False)
    async def page(_request: Request) -> Response:
        headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
        return Response(_HTML, headers=headers, media_type="text/html")

    @app.get(f"{PAGE}/{_START}", include_in_schema=False)
    async def script(_request: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript")

    for name in _TYPES:
        _add_file(app, name)


def _add_file(app: FastAPI, name: str) -> None:
    @app.get(f"{PAGE}/{name}", include_in_schema=False)
    async def file(_request: Request) -> Response:
        folder = resources.files("fastapi_swagger") / "resources"
        return FileResponse(Path(str(folder)) / name, headers=_CACHED, media_type=_TYPES[name])
