/// Names of header fields, which compare without case (RFC 9110, section 5.1).
enum FieldName {
    /// Whether `name` is `lowercase`, which has to be as long.
    static func equal(_ name: String, _ lowercase: StaticString) -> Bool {
        var expected = lowercase.utf8Start
        for byte in name.utf8 {
            guard byte | 0x20 == expected.pointee | 0x20 else { return false }
            expected += 1
        }
        return true
    }
}
