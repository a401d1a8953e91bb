import HTTPServer
import NIOCore
import NIOHTTP1

/// The JSON of an error.
struct ErrorBody: Encodable {
    let error: String
    let code: String
    let status: UInt
    let path: String?
    let requestID: String

    enum CodingKeys: String, CodingKey {
        case error, code, status, path
        case requestID = "request_id"
    }

    init(_ error: APIError, requestID: String) {
        self.error = error.message
        code = error.code.rawValue
        status = error.status.code
        path = error.path
        self.requestID = requestID
    }
}

extension HTTPResponse {
    /// The answer that tells of an error.
    init(_ error: APIError, requestID: String) {
        self = .json(ErrorBody(error, requestID: requestID), status: error.status)
        headers.add(contentsOf: error.headers)
    }
}
