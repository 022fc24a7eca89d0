# The gateway of one city. Build: docker build -t passerelle .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --release --bin passerelle

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --home-dir /var/lib/passerelle --create-home passerelle
COPY --from=build /src/target/release/passerelle /usr/local/bin/passerelle
USER passerelle
EXPOSE 8080
ENTRYPOINT ["passerelle"]
CMD ["serve", "--config", "/etc/passerelle/passerelle.toml"]
