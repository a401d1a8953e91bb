import FoundationEssentials

/// Which records make which batch, given by their ids.
///
/// ```json
/// {"batches": [["jv-train-219", "jv-train-229"], ["jv-train-051"]]}
/// ```
/// Other keys are passed over; a list of lists alone is taken as well. An id is a string or an integer.
struct BatchList: Equatable {
    /// The ids of each batch, in order.
    let batches: [[String]]

    /// Every id.
    var ids: Set<String> { Set(batches.joined()) }

    private struct Document: Decodable {
        let batches: [[ID]]
    }

    private struct ID: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int64.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    /// Reads a list.
    ///
    /// - Parameter path: The JSON file.
    /// - Throws: A ``CommandFault`` that names the file and, where it can, the batch.
    init(path: String) throws(CommandFault) {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFault(place: path, reason: "cannot be read")
        }
        let decoder = JSONDecoder()
        guard
            let batches = (try? decoder.decode(Document.self, from: bytes))?.batches
                ?? (try? decoder.decode([[ID]].self, from: bytes))
        else {
            throw CommandFault(
                place: path,
                reason: "not a list of batches: {\"batches\": [[\"id\", ...], ...]}"
            )
        }
        guard !batches.isEmpty else {
            throw CommandFault(place: path, reason: "there is no batch in the list")
        }
        for (index, batch) in batches.enumerated() where batch.isEmpty {
            throw CommandFault(place: path, reason: "batches[\(index)] is empty")
        }
        self.batches = batches.map { $0.map(\.text) }
    }

    /// The places in an index of every batch's records.
    ///
    /// - Parameters:
    ///   - index: Made with ``ids``.
    ///   - path: The list's file, for messages.
    /// - Returns: A list for each batch.
    /// - Throws: A ``CommandFault`` that names an id without a record.
    func places(in index: RecordIndex, path: String) throws(CommandFault) -> [[Int]] {
        var places: [[Int]] = []
        for (number, batch) in batches.enumerated() {
            var found: [Int] = []
            for (position, id) in batch.enumerated() {
                guard let place = index.named[id] else {
                    throw CommandFault(
                        place: path,
                        reason: "batches[\(number)][\(position)]: the data has no record with the id '\(id)'"
                    )
                }
                found.append(place)
            }
            places.append(found)
        }
        return places
    }
}
