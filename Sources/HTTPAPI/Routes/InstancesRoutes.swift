import HTTPServer
import Inference
import NIOCore
import NIOHTTP1
import Serving

/// `:predict` and `:normalize`: sequences of any length in, TensorFlow Serving's row format out.
struct InstancesRoutes {
    let service: InferenceService
    let stages: StageMetrics
    let limits: DecodingLimits
    /// How long the answer to a request that says nothing of it is of use; nil: for ever.
    let timeout: Duration?

    private static let formats: [MediaType] = [.json, .jsonLines, .fasta]

    var routes: [Route] {
        [("predict", PredictionsEncoder.Key.predictions), ("normalize", .normalized)].flatMap { verb, key in
            ["/v1/models/{model}:\(verb)", "/v1/models/{model}/versions/{version}:\(verb)"].map { path in
                Route(.POST, PathTemplate(path)) { request in try answer(request, key) }
            }
        }
    }

    private func answer(
        _ request: HTTPRequest,
        _ key: PredictionsEncoder.Key
    ) throws -> Route.Outcome {
        let arrival = ContinuousClock.now
        let format = try MediaType(ofBodyIn: request, supported: Self.formats)
        let answerType = format == .jsonLines ? format : .json
        try answerType.checkAccepted(by: request.headers)
        let model = try service.repository.model(for: request)
        let terms = try RequestTerms(request.headers)
        switch format {
        case .json: return try json(request, model, key, terms, arrival)
        case .fasta: return .later { try await fasta(request, model, key, terms, arrival) }
        case .jsonLines: return .now(try jsonLines(request, model, key, terms))
        }
    }

    private func json(
        _ request: HTTPRequest,
        _ model: ServedModel,
        _ key: PredictionsEncoder.Key,
        _ terms: RequestTerms,
        _ arrival: ContinuousClock.Instant
    ) throws -> Route.Outcome {
        let signature = model.sequenceModel.signature
        let body = try InstancesDecoder(signature: signature, limits: limits).read(request.body)
        let parameters = body.parameters
        guard body.faults.isEmpty || parameters.isolatesFaults else {
            throw InstanceFaults(faults: body.faults)
        }
        let wanted = OutputRequest(layer: body.layer, outputs: body.outputs, key: key, model: model)
        let handling = terms.handling(parameters, since: arrival, standard: timeout)
        let wantsTiming = terms.wantsTiming || parameters.wantsTiming
        let clock = StageClock(
            stages,
            since: arrival,
            wantsTiming: wantsTiming,
            span: request.span
        )
        guard parameters.isolatesFaults || parameters.wantsTiming else {
            let encoder = PredictionsEncoder(key: key, labels: signature.labels, topK: body.topK)
            return try LongAnswer.reply(service.start(model, wanted, body.batch, handling)) { answer in
                clock.answer(answer.course) { encoder.encode(answer.outputs) }
            }
        }
        let count = body.batch.count
        let encoder = IsolatedEncoder(
            key: key,
            labels: signature.labels,
            topK: body.topK,
            faults: parameters.isolatesFaults ? body.faults : nil
        )
        let progress =
            count > 0
            ? try service.start(model, wanted, body.batch, handling)
            : .finished(InferenceAnswer(outputs: []))
        return try LongAnswer.reply(progress) { answer in
            clock.answer(answer.course) {
                guard parameters.wantsTiming else { return encoder.encode(answer, count: count) }
                return encoder.encode(answer, count: count) { clock.write(answer.course, to: &$0) }
            }
        }
    }

    private func fasta(
        _ request: HTTPRequest,
        _ model: ServedModel,
        _ key: PredictionsEncoder.Key,
        _ terms: RequestTerms,
        _ arrival: ContinuousClock.Instant
    ) async throws -> HTTPResponse {
        var decoder = try FASTADecoder(signature: model.sequenceModel.signature, limits: limits)
        let records = decoder.records(in: request.body)
        let faults = records.enumerated().compactMap { index, record in
            if case .failure(let error) = record.sequence {
                InstanceFault(index: index, error: error)
            } else {
                nil
            }
        }
        guard faults.isEmpty else { throw InstanceFaults(faults: faults) }
        guard records.count <= limits.maxSequences else {
            throw BodyError.invalidInput(.tooManySequences(limit: limits.maxSequences), at: BodyPlace())
        }
        guard let batch = try SequenceRecord.batch(records) else {
            throw BodyError.invalidInput(.noSequences, at: BodyPlace())
        }
        let wanted = OutputRequest(layer: nil, outputs: nil, key: key, model: model)
        do {
            let handling = terms.handling(since: arrival, standard: timeout)
            let clock = StageClock(
                stages,
                since: arrival,
                wantsTiming: terms.wantsTiming,
                span: request.span
            )
            let answer =
                switch try service.start(model, wanted, batch, handling) {
                case .finished(let answer): answer
                case .waiting(let answer): try await answer()
                }
            let encoder = PredictionsEncoder(key: key)
            return try await LongAnswer.write(answer.outputs) {
                clock.answer(answer.course) { encoder.encode(answer.outputs) }
            }
        } catch {
            throw APIError(error) { "line \(records[$0].line)" }
        }
    }

    private func jsonLines(
        _ request: HTTPRequest,
        _ model: ServedModel,
        _ key: PredictionsEncoder.Key,
        _ terms: RequestTerms
    ) throws -> HTTPResponse {
        guard request.stream != nil || request.body.readableBytes > 0 else {
            throw BodyError.invalidInput(.noSequences, at: BodyPlace())
        }
        let answers = LineAnswers(
            source: request.stream.map { .parts($0) } ?? .whole(request.body),
            decoder: JSONLinesDecoder(signature: model.sequenceModel.signature, limits: limits),
            encoder: LinesEncoder(key: key),
            service: service,
            model: model,
            wanted: OutputRequest(layer: nil, outputs: nil, key: key, model: model),
            handling: { [timeout] in
                var handling = terms.handling(since: .now, standard: timeout)
                handling.isolatesFaults = true
                return handling
            },
            span: request.span
        )
        let headers: HTTPHeaders = ["Content-Type": MediaType.jsonLines.rawValue]
        return HTTPResponse(status: .ok, headers: headers, stream: BodyStream(answers))
    }
}

extension OutputRequest {
    /// What a body asks for; if it names nothing, what the verb stands for.
    init(layer: String?, outputs: [String]?, key: PredictionsEncoder.Key, model: ServedModel) {
        if let layer {
            self = .layer(layer)
        } else if let outputs {
            self = .outputs(outputs)
        } else if key == .normalized {
            self = .layer(nil)
        } else {
            self = .outputs(model.sequenceModel.predictOutputs)
        }
    }
}
