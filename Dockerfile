# Build: the Swift toolchain and the -dev packages. Run: Debian with three shared libraries and one binary.
FROM docker.io/library/swift:6.3-bookworm AS build
# Debian keeps one version of a package in a release; pinning would only break the build at the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libsimdjson-dev libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN swift build -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked --product seqnorm \
    && strip -o /seqnorm .build/release/seqnorm

FROM docker.io/library/debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libsimdjson14 libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /seqnorm /usr/local/bin/seqnorm
COPY LICENSE /usr/share/doc/seqnorm/
COPY Examples/models /models
# A folder of models mounted here replaces the examples.
VOLUME /models
ENV SEQNORM_HOST=0.0.0.0 SEQNORM_PORT=8080
EXPOSE 8080
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["/usr/local/bin/seqnorm", "health", "http://127.0.0.1:8080"]
ENTRYPOINT ["/usr/local/bin/seqnorm"]
CMD ["serve", "/models"]
