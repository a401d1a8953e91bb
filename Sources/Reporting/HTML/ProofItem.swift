/// The line of the page that tells of one proof.
struct ProofItem {
    let proof: FreezeReport.Proof

    private var sign: (style: String, mark: String, word: String?) {
        switch proof.verdict {
        case .held: ("held", "✓", nil)
        case .failed: ("failed", "✗", "Failed")
        case .notChecked: ("unchecked", "–", "Not checked")
        }
    }

    /// Adds the line.
    func write(to list: inout Markup) {
        let sign = sign
        list.element("li", [("class", sign.style)]) { item in
            item.element("span", [("class", "verdict"), ("aria-hidden", "true")], sign.mark)
            item.element("span") { words in
                if let word = sign.word { words.element("b", "\(word): ") }
                words.write(proof.claim)
                let notes = proof.notes
                if !notes.isEmpty { words.element("small", notes.joined(separator: "; ")) }
            }
        }
    }
}
