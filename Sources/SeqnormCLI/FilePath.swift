/// Parts of a path as it was written; Foundation's own traps on some, such as `-`.
enum FilePath {
    /// What stands after the last slash.
    static func name(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// What stands before the last name: `.` where there is no slash, `/` for a name in the root.
    static func folder(_ path: String) -> String {
        var rest = path[...]
        while rest.count > 1 && rest.last == "/" { rest.removeLast() }
        guard let slash = rest.lastIndex(of: "/") else { return "." }
        return slash == rest.startIndex ? "/" : String(rest[..<slash])
    }

    /// What stands after the last point of the name, in small letters; empty where there is none.
    static func ending(_ path: String) -> String {
        let name = name(path)
        return name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    }

    /// A name in a folder.
    static func joining(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
