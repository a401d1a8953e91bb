/// Names of header fields, which compare without case (RFC 9110, section 5.1).
public enum FieldName {
    /// Whether a name is another, of which it is known that it is as long.
    ///
    /// - Parameters:
    ///   - name: A field's name, in any case.
    ///   - lowercase: The other, in lower case and no shorter.
    /// - Returns: Whether they differ in case at most.
    @inlinable
    public static func equal(_ name: String, _ lowercase: StaticString) -> Bool {
        var expected = lowercase.utf8Start
        for byte in name.utf8 {
            guard byte | 0x20 == expected.pointee | 0x20 else { return false }
            expected += 1
        }
        return true
    }
}
