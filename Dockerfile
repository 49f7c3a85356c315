# Two images from one build: the gateway and the on-premises agent. Nothing in them but a static binary, the
# certificates that outgoing TLS needs, and a user who isn't root.
#
#   docker build --target gateway -t fourways .
#   docker build --target agent -t fourways-agent .
#
# The version that they tell is the commit's: build from a clone, with its tags.
#
# internal/architecture runs the two "go build" lines below and checks the binaries.
FROM golang:1.26-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -ldflags="-s -w" -o /out/fourways ./cmd/fourways
RUN go build -trimpath -ldflags="-s -w" -o /out/fourways-agent ./cmd/fourways-agent
RUN mkdir -p /out/data

FROM scratch AS agent
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/fourways-agent /fourways-agent
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/fourways-agent"]
CMD ["run"]

FROM scratch AS gateway
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/fourways /fourways
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
EXPOSE 8400 8403
ENTRYPOINT ["/fourways"]
CMD ["serve", "-c", "/data/fourways.toml"]
