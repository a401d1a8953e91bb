import HTTPServer
import Inference
import Serving

/// The open inference protocol (V2): metadata, readiness and inference with JSON tensors.
struct TensorsRoutes {
    let service: InferenceService
    let stages: StageMetrics
    let limits: DecodingLimits
    let version: String
    /// How long the answer to a request that says nothing of it is of use; nil: for ever.
    let timeout: Duration?

    var routes: [Route] {
        let server = HTTPResponse.json(ServerMetadata(version: version))
        return [
            Route(.GET, "/v2") { _ in .now(server) },
            Route(.GET, "/v2/") { _ in .now(server) },
            Route(.GET, "/v2/models/{model}", handler: metadata),
            Route(.GET, "/v2/models/{model}/versions/{version}", handler: metadata),
            Route(.GET, "/v2/models/{model}/ready", handler: ready),
            Route(.GET, "/v2/models/{model}/versions/{version}/ready", handler: ready),
            Route(.POST, "/v2/models/{model}/infer", handler: infer),
            Route(.POST, "/v2/models/{model}/versions/{version}/infer", handler: infer),
        ]
    }

    private var metadata: Route.Handler {
        { [service] request in
            let model = try service.repository.model(for: request)
            let versions = service.repository.status.filter { $0.name == model.name && $0.state == .ready }
            return .now(.json(TensorsMetadata(model, versions: versions.map(\.version))))
        }
    }

    private var ready: Route.Handler {
        { [service] request in
            .now(.json(ModelReady(name: try service.repository.model(for: request).name)))
        }
    }

    private var infer: Route.Handler {
        { [service, stages, limits, timeout] request in
            let arrival = ContinuousClock.now
            _ = try MediaType(ofBodyIn: request, supported: [.json])
            try MediaType.json.checkAccepted(by: request.headers)
            let model = try service.repository.model(for: request)
            let signature = model.sequenceModel.signature
            let body = try TensorsDecoder(signature: signature, limits: limits).decode(request.body)
            let terms = try RequestTerms(request.headers)
            let handling = terms.handling(body.parameters, since: arrival, standard: timeout)
            let clock = StageClock(
                stages,
                since: arrival,
                wantsTiming: terms.wantsTiming,
                span: request.span
            )
            let wanted = body.outputs ?? signature.outputs.map(\.name)
            let encoder = TensorsEncoder(
                modelName: model.name,
                modelVersion: String(model.version),
                signature: signature
            )
            return try LongAnswer.reply(service.start(model, .outputs(wanted), body.batch, handling)) {
                answer in
                try clock.answer(answer.course) { try encoder.encode(answer.outputs, for: body) }
            }
        }
    }
}

/// `GET /v2`.
private struct ServerMetadata: Encodable {
    let name = "seqnorm"
    let version: String
    let extensions: [String] = []
}

/// `GET /v2/models/{model}/ready`.
private struct ModelReady: Encodable {
    let name: String
    let ready = true
}
