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
    let errors: [Fault]?
    let errorCount: Int?

    struct Fault: Encodable {
        let index: Int
        let path: String?
        let code: String
        let error: String
    }

    enum CodingKeys: String, CodingKey {
        case error, code, status, path, errors
        case errorCount = "error_count"
        case requestID = "request_id"
    }

    init(_ error: APIError, requestID: String) {
        self.error = error.message
        code = error.code.rawValue
        status = error.status.code
        path = error.path
        self.requestID = requestID
        errors =
            error.faults.isEmpty
            ? nil
            : error.faults.map {
                Fault(index: $0.index, path: $0.path, code: $0.code.rawValue, error: $0.message)
            }
        errorCount = error.faultCount > 0 ? error.faultCount : nil
    }
}

extension HTTPResponse {
    /// The answer that tells of an error.
    init(_ error: APIError, requestID: String) {
        self = .json(ErrorBody(error, requestID: requestID), status: error.status)
        headers.add(contentsOf: error.headers)
    }
}
