import Coding
import NIOCore

/// Requests whose body is compressed, or whose client takes a compressed answer.
extension ConnectionHandler {
    func startCoded(_ request: HTTPRequest, on executor: EventLoopTaskExecutor) {
        let answerCoding = requestHead.acceptedCoding.map {
            AnswerCoding(coding: $0, level: configuration.compressionLevel)
        }
        if let coding = requestHead.contentCoding {
            return answerLater(on: nil) { [responder, configuration] in
                let response = await Self.inflated(request, coding, configuration, responder)
                return await answerCoding?.apply(response) ?? response
            }
        }
        let isShort = request.body.readableBytes <= configuration.maxInlineBodyBytes
        guard isShort else {
            return answerLater(on: nil) { [responder] in
                let response = await responder.reply(to: request).response
                return await answerCoding?.apply(response) ?? response
            }
        }
        let reply = responder.reply(to: request)
        if case .now(let response) = reply, case .bytes(let bytes) = response.body {
            guard let answerCoding, answerCoding.applies(to: response) else { return answer(response) }
            if bytes.readableBytes <= AnswerCoding.mostInlineBytes {
                return answer(answerCoding.applied(response))
            }
        }
        answerLater(on: executor) {
            let response = await reply.response
            return await answerCoding?.apply(response) ?? response
        }
    }

    /// Gives a request to the responder before its body has come, part by part without its coding.
    func startStreamedCoded(_ request: HTTPRequest, _ body: RequestBody) {
        let answerCoding = requestHead.acceptedCoding.map {
            AnswerCoding(coding: $0, level: configuration.compressionLevel)
        }
        answerLater(on: nil) { [responder, configuration, coding = requestHead.contentCoding] in
            var request = request
            request.stream = body
            if let coding {
                let limits = Inflation(
                    maxBytes: configuration.maxBodyBytes,
                    maxRatio: configuration.maxInflateRatio
                )
                let inflated = body.inflated(coding, limits: limits)
                do {
                    // A body that is not in its coding at all can still be told so.
                    request.stream = inflated.following(try await inflated.next())
                } catch {
                    let rejection = error as? Rejection ?? Inflation.broken(coding)
                    return responder.reject(rejection, requestID: request.id)
                }
                request.headers.remove(name: "Content-Encoding")
            }
            let response = await responder.reply(to: request).response
            return await answerCoding?.apply(response) ?? response
        }
    }

    /// The answer to a request whose body is compressed.
    private static func inflated(
        _ request: HTTPRequest,
        _ coding: ContentCoding,
        _ configuration: ServerConfiguration,
        _ responder: any Responder
    ) async -> HTTPResponse {
        let inflation = Inflation(
            maxBytes: configuration.maxBodyBytes,
            maxRatio: configuration.maxInflateRatio
        )
        var request = request
        do {
            request.body = try inflation.inflate(request.body, coding)
        } catch {
            return responder.reject(error, requestID: request.id)
        }
        request.headers.remove(name: "Content-Encoding")
        return await responder.reply(to: request).response
    }
}
