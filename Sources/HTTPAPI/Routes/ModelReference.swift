import HTTPServer
import Serving

/// The model a path names.
struct ModelReference {
    let name: String
    let version: Int?

    /// Reads `{model}` and `{version}` of a path.
    ///
    /// - Throws: ``RouteFault/notAVersion``.
    init(_ parameters: PathParameters) throws(RouteFault) {
        name = parameters["model"] ?? ""
        guard let text = parameters["version"] else {
            version = nil
            return
        }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), number > 0 else {
            throw .notAVersion
        }
        version = number
    }
}

extension ModelRepository {
    /// The loaded model that a request's path names.
    func model(for request: HTTPRequest) throws -> ServedModel {
        let reference = try ModelReference(request.parameters)
        return try model(named: reference.name, version: reference.version)
    }

    /// The state of all versions, or of the one version, that a request's path names.
    func status(for request: HTTPRequest) throws -> [ModelStatus] {
        let reference = try ModelReference(request.parameters)
        let all = status.filter { $0.name == reference.name }
        guard !all.isEmpty else { throw ServingError.modelNotFound(name: reference.name) }
        guard let version = reference.version else { return all }
        let one = all.filter { $0.version == version }
        guard !one.isEmpty else {
            throw ServingError.versionNotFound(name: reference.name, version: version)
        }
        return one
    }
}
