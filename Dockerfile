# Serves an exported network: docker build -t mnistlab-serve .
#   docker run -p 127.0.0.1:8000:8000 -v "$PWD/model.onnx:/models/model.onnx:ro" \
#       -e MNISTLAB_TOKEN=... mnistlab-serve
# The image holds Python, the libraries it loads and mnistlab[serve]: no shell, no pip, no torch.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY docker/serving_root.sh docker/
COPY mnistlab mnistlab
RUN pip install --no-cache-dir --no-compile -c constraints.txt --target /app '.[serve]' \
    && docker/serving_root.sh /app /image

FROM scratch
COPY --from=build /image /
ENV PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/usr/local/bin/python3", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/python3", "-m", "mnistlab", "serve", "--host", "0.0.0.0"]
CMD ["/models/model.onnx"]
