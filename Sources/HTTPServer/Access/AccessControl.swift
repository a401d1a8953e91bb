import FoundationEssentials
import NIOConcurrencyHelpers
public import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Who may do what: holds the keys of a file, which can be read anew while requests are answered.
///
/// ```swift
/// let access = try AccessControl(path: "/etc/seqnorm/keys")
/// try access.check(request.headers, for: .infer)
/// ```
public final class AccessControl: Sendable {
    /// Why a file of keys cannot be used.
    public struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
        /// File and reason in one line, without a key or a digest.
        public let description: String
    }

    private struct State: Sendable {
        var keys: APIKeys
        var stamp: FileStamp?
    }

    /// Where the keys are.
    public let path: String
    private let state: NIOLockedValueBox<State>

    /// Reads the keys.
    ///
    /// - Parameter path: A file of lines `NAME SCOPE[,SCOPE...] SHA256`.
    /// - Throws: ``FileFault``.
    public init(path: String) throws(FileFault) {
        self.path = path
        state = NIOLockedValueBox(try Self.read(path))
    }

    /// How many keys there are.
    public var count: Int { state.withLockedValue { $0.keys.count } }

    /// Whether the file is another one than was read last.
    public var isStale: Bool { state.withLockedValue { $0.stamp } != FileStamp(path) }

    /// Reads the file again; if it cannot be used, the keys stay as they are, and it is not stale any more.
    ///
    /// - Throws: ``FileFault``.
    public func reload() throws(FileFault) {
        let stamp = FileStamp(path)
        do {
            let new = try Self.read(path)
            state.withLockedValue { $0 = new }
        } catch {
            state.withLockedValue { $0.stamp = stamp }
            throw error
        }
    }

    /// Lets a request in, or not.
    ///
    /// - Parameters:
    ///   - headers: Of the request; the key is in `Authorization: Bearer KEY`, else in `X-API-Key: KEY`.
    ///   - scope: What it is about.
    /// - Throws: ``AccessDenied``.
    public func check(_ headers: HTTPHeaders, for scope: AccessScope) throws(AccessDenied) {
        guard let key = Self.key(in: headers) else { throw .missingKey }
        let keys = state.withLockedValue { $0.keys }
        guard let scopes = keys.scopes(of: key) else { throw .unknownKey }
        guard scopes.contains(scope) else { throw .missingScope(scope) }
    }

    private static func key(in headers: HTTPHeaders) -> String? {
        guard let field = headers.first(name: "authorization") else {
            return headers.first(name: "x-api-key")
        }
        let words = field.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            return headers.first(name: "x-api-key")
        }
        return String(words[1].drop { $0 == " " })
    }

    private static func read(_ path: String) throws(FileFault) -> State {
        // Taken first: a change while it is read is then seen as one.
        let stamp = FileStamp(path)
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(bytes: data, encoding: .utf8)
        else { throw FileFault(description: "\(path): cannot be read as text") }
        do {
            return State(keys: try APIKeys(text), stamp: stamp)
        } catch {
            throw FileFault(description: "\(path): \(error)")
        }
    }
}
