/** The image of compose files: any base image with Node and the flare command added. */
export function dockerfile(hasRequirements: boolean): string {
  return `ARG BASE_IMAGE
FROM node:22-bookworm-slim AS flare
ARG FLARE_PACKAGE
WORKDIR /packages
COPY Dockerfile *.tgz ./
RUN npm install --global --prefix /opt/flare $FLARE_PACKAGE

FROM \${BASE_IMAGE}
COPY --from=flare /usr/local/bin/node /opt/flare/bin/node
COPY --from=flare /opt/flare /opt/flare
ENV PATH=/opt/flare/bin:$PATH
${hasRequirements ? "COPY requirements.txt /opt/flare/requirements.txt\nRUN python3 -m pip install --no-cache-dir -r /opt/flare/requirements.txt\n" : ""}USER 1000:1000
WORKDIR /workspace
ENTRYPOINT ["flare"]
CMD ["--help"]
`;
}
