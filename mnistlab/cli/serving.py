"""`mnistlab serve`: trained networks behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cli.options import named_path, refuse
from mnistlab.errors import RunError

if TYPE_CHECKING:
    from mnistlab.serving.service import Service

app = typer.Typer()

LIBRARIES = {"onnxruntime", "uvicorn", "httptools", "python_multipart", "prometheus_client"}


ModelsArgument = Annotated[
    list[Path],
    typer.Argument(
        parser=named_path,
        metavar="RUN|FILE.onnx...",
        help="Exported ONNX files, or folders of runs, which are exported first.",
    ),
]
PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any free one.")
]
HostOption = Annotated[
    str, typer.Option(help="The address to listen on; 0.0.0.0 lets other computers in.")
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        parser=named_path,
        metavar="FILE",
        help="A file that holds the token requests must carry; MNISTLAB_TOKEN does the same.",
    ),
]
AnyoneOption = Annotated[
    bool, typer.Option("--anyone", help="Let other computers in without a token.")
]
AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Answer requests for this host name; may be repeated."),
]
PageOption = Annotated[
    Path | None,
    typer.Option(
        parser=named_path,
        metavar="FILE.html",
        help="The page to draw on, of mnistlab export. "
        "Default: model.html beside model.onnx; of run folders one is made.",
    ),
]
ReloadOption = Annotated[
    bool, typer.Option("--reload", help="Serve a file anew whenever it changes.")
]
LogOption = Annotated[
    bool, typer.Option("--log-requests", help="Log every request, not errors alone.")
]


@app.command(epilog="Example: mnistlab serve model.onnx --port 8000")
def serve(
    context: typer.Context,
    model: ModelsArgument,
    port: PortOption = 8000,
    host: HostOption = "127.0.0.1",
    token_file: TokenOption = None,
    anyone: AnyoneOption = False,
    allow_host: AllowHostOption = None,
    page: PageOption = None,
    reload: ReloadOption = False,
    log_requests: LogOption = False,
) -> None:
    """Serve networks over HTTP: images go in, classes and probabilities come out.

    POST /v1/predict takes PNG, JPEG and WEBP pictures, grey levels and batches; /docs describes
    it, / is a page to draw on. The first model answers unless ?model= names another. Only this
    computer is served unless --host says otherwise. Ctrl-C and SIGTERM stop it after accepted
    requests are answered. Needs: pip install 'mnistlab[serve]', which brings no torch.
    """
    if token_file is not None:
        refuse(context, {"anyone"}, "lets other computers in without the token of --token-file")
    try:
        from mnistlab.serving.server import serve as run_service
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        raise RunError(f"serve needs {error.name}: pip install 'mnistlab[serve]'") from error
    from mnistlab.serving.settings import ServeSettings, read_token

    settings = ServeSettings(
        host=host,
        port=port,
        token=read_token(token_file),
        anyone=anyone,
        allowed_hosts=tuple(allow_host or ()),
        reload=reload,
        log_requests=log_requests,
    )
    run_service(model, settings, page, _say)


def _say(url: str, service: Service) -> None:
    names = ", ".join(service.served)
    print(f"serving {names} at {url} (Ctrl-C stops it)", flush=True)
