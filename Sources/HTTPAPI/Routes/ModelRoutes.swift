import HTTPServer
import Inference
import Serving

/// What models there are, and what they take and give: TensorFlow Serving's and KServe's first protocol.
struct ModelRoutes {
    let repository: ModelRepository

    var routes: [Route] {
        [
            Route(.GET, "/v1/models") { [repository] _ in .now(.json(ModelList(repository.status))) },
            Route(.GET, "/v1/models/{model}", handler: status),
            Route(.GET, "/v1/models/{model}/versions/{version}", handler: status),
            Route(.GET, "/v1/models/{model}/metadata", handler: metadata),
            Route(.GET, "/v1/models/{model}/versions/{version}/metadata", handler: metadata),
        ]
    }

    private var status: Route.Handler {
        { [repository] request in .now(.json(ModelState(try repository.status(for: request)))) }
    }

    private var metadata: Route.Handler {
        { [repository] request in .now(.json(ModelMetadata(try repository.model(for: request)))) }
    }
}

/// `{"models": ["a", "b"]}`.
struct ModelList: Encodable {
    let models: [String]

    init(_ status: [ModelStatus]) {
        models = Set(status.map(\.name)).sorted()
    }
}

/// The state of a model's versions, highest first, as TensorFlow Serving writes it.
struct ModelState: Encodable {
    struct Version: Encodable {
        struct Status: Encodable {
            let errorCode: String
            let errorMessage: String

            enum CodingKeys: String, CodingKey {
                case errorCode = "error_code"
                case errorMessage = "error_message"
            }
        }

        let version: String
        let state: String
        let status: Status

        init(_ model: ModelStatus) {
            version = String(model.version)
            switch model.state {
            case .ready:
                state = "AVAILABLE"
                status = Status(errorCode: "OK", errorMessage: "")
            case .loading:
                state = "LOADING"
                status = Status(errorCode: "OK", errorMessage: "")
            case .failed(let reason):
                state = "END"
                status = Status(errorCode: "FAILED_PRECONDITION", errorMessage: reason)
            }
        }
    }

    let name: String
    let ready: Bool
    let versions: [Version]

    enum CodingKeys: String, CodingKey {
        case name, ready
        case versions = "model_version_status"
    }

    /// The state of some versions of one model; ready if the highest is.
    init(_ status: [ModelStatus]) {
        let highestFirst = status.sorted { $0.version > $1.version }
        name = highestFirst.first?.name ?? ""
        ready = highestFirst.first?.state == .ready
        versions = highestFirst.map(Version.init)
    }
}
