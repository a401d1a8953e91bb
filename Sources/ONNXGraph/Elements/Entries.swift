internal import SwiftProtobuf

extension [ProtoEntry] {
    /// The entries by key; of a key that stands twice, the first.
    var dictionary: [String: String] {
        Dictionary(map { ($0.key, $0.value) }) { first, _ in first }
    }

    /// Keeps the order of the keys that stay and appends new ones sorted.
    mutating func update(to dictionary: [String: String]) {
        var remaining = dictionary
        self = compactMap { entry in
            guard let value = remaining.removeValue(forKey: entry.key) else { return nil }
            var entry = entry
            entry.value = value
            return entry
        }
        for (key, value) in remaining.sorted(by: { $0.key < $1.key }) {
            var entry = ProtoEntry()
            entry.key = key
            entry.value = value
            append(entry)
        }
    }
}
