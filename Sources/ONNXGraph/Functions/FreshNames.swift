/// Gives out names that no value has yet.
struct FreshNames {
    private var taken: Set<String>
    /// The last number that was put behind a name.
    private var numbers: [String: Int] = [:]

    init(taken: Set<String>) { self.taken = taken }

    /// The proposal itself, or the proposal with a number.
    ///
    /// - Complexity: O(1) on average, however often the same name is proposed.
    mutating func make(_ proposal: String) -> String {
        if taken.insert(proposal).inserted { return proposal }
        var number = numbers[proposal] ?? 1
        var name: String
        repeat {
            number += 1
            name = "\(proposal).\(number)"
        } while !taken.insert(name).inserted
        numbers[proposal] = number
        return name
    }
}
