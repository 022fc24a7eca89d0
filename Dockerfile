# The gateway of one city. Build: docker build -t passerelle .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin passerelle

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 passerelle \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/passerelle --create-home --shell /usr/sbin/nologin passerelle
COPY --from=build /src/target/release/passerelle /usr/local/bin/passerelle
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["passerelle"]
CMD ["serve", "--config", "/etc/passerelle/passerelle.toml"]
